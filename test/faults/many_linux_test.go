package faults

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/census"
	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// TestTwoHundredContainersLeaveNothing makes containers, sixteen at a time, each
// with an address and every fourth with a published port, and counts what there
// is on the machine and in this process before and afterwards.
func TestTwoHundredContainersLeaveNothing(t *testing.T) {
	const many, atOnce = 200, 16
	testenv.Iptables(t)
	l := newLane(t, shared.start(t))
	l.must(l.rt.Tend(l.ctx))
	ip := l.live(runtime.ContainerID{Service: "first"}, true) // what is read and made once
	var err error
	l.place.Bridge, err = census.BridgeOf(ip)
	l.must(err)
	before, err := census.Take(l.ctx, l.place)
	l.must(err)
	self, err := census.Self()
	l.must(err)
	began := time.Now()
	ids := make(chan int, many)
	for i := range many {
		ids <- i
	}
	close(ids)
	l.apart = true
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := range ids {
				l.live(runtime.ContainerID{Service: fmt.Sprintf("many-%d", i)}, i%4 == 0)
			}
		})
	}
	all.Wait()
	l.apart = false
	t.Logf("%d containers, %d at a time: %s", many, atOnce, time.Since(began))
	if len(ids) > 0 {
		t.Fatalf("%d containers were not made", len(ids))
	}
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	l.must(census.Settle(ctx, l.place, before))
	l.must(census.SettleSelf(ctx, self))
}

// live is a container's whole life; ip is the address that it had.
func (l *lane) live(id runtime.ContainerID, publish bool) (ip netip.Addr) {
	spec := l.spec("handle-term")
	spec.Network = messages.NetworkDefault
	if publish {
		spec.Ports = []messages.Port{{Container: 80, Protocol: "tcp"}}
	}
	l.must(l.rt.Create(l.ctx, id, spec, runtime.CreateOptions{}))
	l.must(l.rt.Start(l.ctx, id))
	ip, err := l.rt.IP(l.ctx, id)
	l.must(err)
	if !ip.IsValid() {
		l.must(fmt.Errorf("container %s has no address", id))
	}
	_, err = l.rt.Exec(l.ctx, id, runtime.ExecOptions{Cmd: []string{"true"}})
	l.must(err)
	l.must(l.rt.Stop(l.ctx, id, time.Minute))
	out, err := l.rt.WaitOutcome(l.ctx, id, messages.WaitNotRunning)
	l.must(err)
	if out.Reason == "" {
		l.must(fmt.Errorf("container %s: %+v", id, out))
	}
	l.must(l.rt.Remove(l.ctx, id, runtime.RemoveOptions{}))
	return ip
}
