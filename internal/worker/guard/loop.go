package guard

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Runtime is what a guard needs of a runtime.
type Runtime interface {
	Inspect(ctx context.Context, id runtime.ContainerID) (runtime.Details, error)
	Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error
}

// Loop is a guard at work.
type Loop struct {
	// Read is the record as it is now. While it fails the last one counts.
	Read func() (lease.Record, error)
	// Note makes known that a container is about to be stopped.
	Note    func(c lease.Container) error
	Clock   lease.Clock
	Runtime func(ctx context.Context) (Runtime, error) // asked for when it is needed
	Log     *slog.Logger
	Step    time.Duration // pause between looks; 0: 200 ms
	Idle    time.Duration // without containers for that long Run returns; 0: never
}

// key is a container of an attempt.
type key struct {
	job     string
	attempt uint64
}

// ending is a container whose time is over.
type ending struct {
	busy atomic.Bool   // it is being stopped
	last time.Duration // when that began last
}

// lookAgain is the pause between looks at a container whose time is over, for as
// long as the record has it. One that was not there, or not started, may be
// started yet: by a worker that was frozen, or a runtime that was slow.
const lookAgain = time.Second

// begin tells whether to stop the container now.
func (e *ending) begin(now time.Duration) bool {
	if e.busy.Load() || e.last != 0 && now < e.last+lookAgain {
		return false
	}
	e.busy.Store(true)
	e.last = now
	return true
}

// stopSlack is what a stop may take beyond the container's grace before it is
// tried again.
const stopSlack = 5 * time.Second

// Run guards until ctx ends, or nothing has been left to guard for Idle.
func (l *Loop) Run(ctx context.Context) {
	step := l.Step
	if step == 0 {
		step = 200 * time.Millisecond
	}
	tick := time.NewTicker(step)
	defer tick.Stop()
	var stops sync.WaitGroup
	defer stops.Wait()
	var rec lease.Record
	ends := map[key]*ending{}
	busy := l.Clock.Now()
	for {
		if now, err := l.Read(); err == nil {
			rec = now
		} else {
			l.Log.Warn("the lease's record cannot be read; the last one counts", "error", err)
		}
		if len(rec.Containers) > 0 {
			busy = l.Clock.Now()
		}
		due := map[key]*ending{}
		for _, c := range rec.Containers {
			k, now := key{c.Job, c.Attempt}, l.Clock.Now()
			if now < rec.StopAt(c.Grace) {
				continue
			}
			e := ends[k]
			if e == nil {
				e = &ending{}
				l.Log.Warn("the lease runs out; a container is stopped", "container", c.Name, "job", c.Job, "attempt", c.Attempt)
			}
			due[k] = e
			if e.begin(now) {
				holder := rec.Holder
				stops.Go(func() {
					defer e.busy.Store(false)
					l.end(ctx, c, &holder, step)
				})
			}
		}
		ends = due
		if l.Idle > 0 && l.Clock.Now()-busy >= l.Idle {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// end stops a container, and tries until it has. The pause does not grow: with
// every step it may run beside its successor.
func (l *Loop) end(ctx context.Context, c lease.Container, h *lease.Holder, step time.Duration) {
	for ctx.Err() == nil {
		err := l.stop(ctx, c, h.GraceLeft(l.Clock.Now(), c.Grace))
		if err == nil {
			return
		}
		l.Log.Error("a container is not stopped; trying again", "container", c.Name, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(step):
		}
	}
}

// stop ends a container, unless it has ended, or is another's by now.
func (l *Loop) stop(ctx context.Context, c lease.Container, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace+stopSlack)
	defer cancel()
	id, ok := runtime.ParseContainerID(c.Name)
	if !ok {
		return fmt.Errorf("%q is not a container's name", c.Name)
	}
	rt, err := l.Runtime(ctx)
	if err != nil {
		return err
	}
	d, err := rt.Inspect(ctx, id)
	switch {
	case errdefs.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case d.Owner != (runtime.Owner{Job: c.Job, Attempt: c.Attempt}), d.State.Phase.Ended():
		return nil
	}
	if err := l.Note(c); err != nil {
		l.Log.Error("what is about to be stopped cannot be noted", "container", c.Name, "error", err)
	}
	if err := rt.Stop(ctx, id, grace); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	l.Log.Info("a container was stopped", "container", c.Name)
	return nil
}
