package faults

import (
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/internal/grpcfault"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
)

const node = "linux-1"

// employed puts a worker over a lane, and gives an operation that is one job on
// it, from its command to its last outcome.
func (l *lane) employed(rt *containerd.Runtime) operation {
	l.Helper()
	composite, err := runtime.NewComposite(runtime.CompositeConfig{Primary: runtime.Member{Runtime: rt}, Logger: l.cfg.Logger})
	l.must(err)
	server := membus.NewServer()
	client := server.Connect("client")
	l.must(client.Ensure(l.ctx, bus.NewLayout(messages.DefaultRoot, 1, bus.DefaultBudget)))
	w, err := worker.Start(l.ctx, worker.Config{
		Node: node, Bus: server.Connect("worker"), Runtime: composite, Journal: memjournal.New(),
		Host: messages.Host{OS: messages.Linux, Arch: goruntime.GOARCH}, Logger: l.cfg.Logger,
		Heartbeat: time.Hour, TTL: 3 * time.Hour, // whose calls would come between
	})
	l.must(err)
	l.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.Stop(ctx)
		_ = client.Close(ctx)
	})
	number := 0
	return operation{name: "job", before: nothing, removes: true, tidies: true, do: func(ctx context.Context, l *lane, _ *containerd.Runtime) error {
		number++
		err := l.job(ctx, client, fmt.Sprintf("j%d", number))
		l.settles() // its container is removed after its outcome
		return err
	}}
}

// job runs a job to its end. How a job that failed did is its error.
func (l *lane) job(ctx context.Context, client bus.Bus, id string) error {
	spec := l.spec("echo", "hello")
	spec.Platform = &messages.Platform{OS: messages.Linux, Arch: goruntime.GOARCH}
	data, err := messages.Encode(messages.Job{V: messages.Version, ID: id, Op: messages.OpRun, Service: l.id.Service, Spec: spec, Policy: messages.Policy{Idempotent: true}})
	if err != nil {
		return err
	}
	reply, err := client.Request(ctx, bus.Message{
		Subject: messages.Root(messages.DefaultRoot).Command(node), Data: data, Header: bus.Header{messages.HeaderWait: "100s"},
	})
	if err != nil {
		return err
	}
	o, err := messages.Decode[messages.Outcome](reply.Data)
	switch {
	case err != nil:
		return err
	case o.Status == messages.StatusCompleted && *o.Result.ExitCode == 0:
		return nil
	case o.Error != nil:
		return o.Error
	}
	return fmt.Errorf("job %s of %s: %s", id, l.id, reply.Data)
}

// TestJobWithAFaultAtEveryCall runs jobs through workers, side by side. A fault
// must cost a job no more than an attempt, and its container is gone in the end.
func TestJobWithAFaultAtEveryCall(t *testing.T) {
	const workers = 6
	m := shared.start(t)
	// The place of a caller who gives up is taken by the worker's own runtime,
	// which is hasty.
	faults := slices.DeleteFunc(slices.Clone(faults), func(f grpcfault.Fault) bool { return f == grpcfault.HangAfter })
	var all sync.WaitGroup
	lanes := make([]*lane, workers)
	for i := range lanes {
		lanes[i] = newLane(t, m)
	}
	for share, l := range lanes {
		op := l.employed(l.hasty)
		l.apart = true
		all.Go(func() { l.jobs(op, faults, share, workers) })
	}
	all.Wait()
}

// jobs runs a job with each fault at each of its calls, or a share of these.
func (l *lane) jobs(op operation, faults []grpcfault.Fault, share, of int) {
	l.Helper()
	for range 2 { // the first reads what is read once
		l.proxy.Plan(nil)
		l.must(op.do(l.ctx, l, l.rt))
	}
	var trials []trial
	calls := l.proxy.Calls()
	for i := range calls {
		for _, fault := range faults {
			if !without(calls[i], fault) {
				trials = append(trials, trial{op, calls[i : i+1], fault})
			}
		}
	}
	hit, all := int64(0), int64(0)
	for i := share; i < len(trials); i += of {
		hit += l.try(trials[i])
		all++
	}
	l.Logf("a job makes %d calls; %d of %d pairs of a call and a fault were hit", len(calls), hit, all)
	if hit < all {
		l.Error("a fault was not hit: a job did not make the call that the first one made")
	}
}
