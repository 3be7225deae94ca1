package placer_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// lossyBus loses the requests to one node for a while.
type lossyBus struct {
	bus.Bus
	node  string
	loses *atomic.Bool
}

func (b lossyBus) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	if b.loses.Load() && m.Subject == root.Command(b.node) {
		<-ctx.Done()
		return bus.Message{}, context.Cause(ctx)
	}
	return b.Bus.Request(ctx, m)
}

func TestAJobThatWaitsStillOwesItsRevoke(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		var loses atomic.Bool
		y.placer("p1", func(b bus.Bus) bus.Bus { return lossyBus{b, "linux-1", &loses} })
		var conn *membus.Conn
		y.worker("linux-1", linux, func(c *worker.Config) {
			conn, c.Labels = c.Bus.(*membus.Conn), map[string]string{"disk": "ssd"}
		})
		service := task("web")
		service.Kind, service.Spec.Image = messages.KindService, "team/server:1"
		service.Requires.Labels = map[string]string{"disk": "ssd"}
		y.submit(service)
		time.Sleep(20 * time.Second)
		verb[messages.DrainReply](y, messages.PlacerDrain, messages.DrainRequest{V: 1, Node: "linux-1"}) // it is not to go back there
		conn.Cut()
		time.Sleep(20 * time.Second)
		if r := y.record("web"); r.State != messages.StatePending || len(r.Fences) != 1 {
			t.Fatalf("it is %s, owing %v; the test wants it to wait and owe", r.State, r.Fences)
		}
		loses.Store(true) // the first revokes after the node is back get lost
		conn.Mend()
		time.Sleep(20 * time.Second)
		loses.Store(false)
		time.Sleep(time.Minute)
		if r := y.record("web"); len(r.Fences) != 0 {
			t.Errorf("it is %s and still owes %v: %s", r.State, r.Fences, story(r))
		}
	})
}
