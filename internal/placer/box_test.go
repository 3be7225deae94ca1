package placer_test

import (
	"context"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// box is a node that can be killed, cut off, started again and wiped.
type box struct {
	y       *yard
	name    string
	machine *memory.Machine
	journal *memjournal.Journal
	conn    *membus.Conn
	worker  *worker.Worker
	room    messages.Room
}

// box puts a Linux node on the bus.
func (y *yard) box(name string) *box {
	y.t.Helper()
	machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{linux}, Images: images})
	if err != nil {
		y.t.Fatal(err)
	}
	b := &box{y: y, name: name, machine: machine, journal: memjournal.New(), room: messages.Room{CPUMilli: 4000, Memory: 1 << 30}}
	y.t.Cleanup(func() {
		b.kill()
		_ = machine.Close()
	})
	b.start()
	return b
}

// start starts the node's worker over what its journal and its machine hold.
func (b *box) start() {
	b.y.t.Helper()
	composite, err := runtime.NewComposite(runtime.CompositeConfig{
		Primary: runtime.Member{Runtime: memory.New(b.machine)}, Resolver: images, Logger: b.y.log,
	})
	if err != nil {
		b.y.t.Fatal(err)
	}
	b.conn = b.y.server.Connect(b.name)
	b.worker, err = worker.Start(b.y.t.Context(), worker.Config{
		Node: b.name, Bus: b.conn, Runtime: composite, Journal: b.journal, Logger: b.y.log,
		Host: messages.Host{OS: linux.OS, Arch: linux.Arch}, Total: b.room,
	})
	if err != nil {
		b.y.t.Fatal(err)
	}
	synctest.Wait()
}

// kill ends the worker without a word; its containers go on.
func (b *box) kill() {
	if b.worker == nil {
		return
	}
	b.conn.Cut()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b.worker.Stop(ctx)
	_ = b.conn.Close(ctx)
	b.worker = nil
}

// burn kills the worker and takes its containers and its journal.
func (b *box) burn() {
	b.kill()
	b.machine.Crash()
	b.journal = memjournal.New()
}

// runs is how many of a job's containers are running on the machine.
func (b *box) runs(job string) int {
	b.y.t.Helper()
	held, err := memory.New(b.machine).List(context.Background())
	if err != nil {
		b.y.t.Fatal(err)
	}
	n := 0
	for _, c := range held {
		if c.Owner.Job == job && !c.State.Phase.Ended() {
			n++
		}
	}
	return n
}

// service is a job that runs until it is stopped.
func service(id string) messages.Job {
	job := task(id)
	job.Kind, job.Spec.Image = messages.KindService, "team/server:1"
	return job
}

// holds waits in virtual time until ok is true.
func (y *yard) holds(what string, within time.Duration, ok func() bool) {
	y.t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(200 * time.Millisecond) {
		synctest.Wait()
		if ok() {
			return
		}
		if time.Now().After(end) {
			y.t.Fatalf("after %v still not: %s", within, what)
		}
	}
}

// is tells whether a live record is in the state, on the node.
func (y *yard) is(job string, state messages.State, node string) func() bool {
	return func() bool {
		for _, r := range verb[messages.JobsReply](y, messages.PlacerJobs, messages.JobsRequest{V: 1, State: state, Node: node}).Jobs {
			if r.Job.ID == job {
				return true
			}
		}
		return false
	}
}

// said tells whether the last word on a job was said.
func (y *yard) said(job string) func() bool {
	return func() bool {
		y.mu.Lock()
		defer y.mu.Unlock()
		return len(y.done[job]) > 0
	}
}
