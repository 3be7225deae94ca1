package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/lease"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// errLeaseOver is why a container is ended that runs under the lease.
var errLeaseOver = errors.New("cut off from the bus for longer than its lease; stopped, as on_partition: stop asks")

// leases keeps the node's lease while there are attempts under it: those that
// run a container for a job with `on_partition: stop`. An attempt is accepted
// under an acknowledged lease only, and given up when its container has to begin
// to stop.
type leases struct {
	w     *Worker
	guard lease.Guard
	clock lease.Clock
	step  time.Duration // between looks at the clock
	terms lease.Terms   // of a lease that is taken anew
	wake  chan struct{} // something has come under the lease

	sending slowLock   // one renewal at a time
	noting  sync.Mutex // the guard hears of changes in their order

	mu      sync.Mutex
	holder  lease.Holder
	under   map[journal.Key]*leased
	renewed uint64        // renewals begun by this worker
	wary    time.Duration // before that nothing is taken on
	busy    bool          // a renewal is on its way
	again   time.Duration // not before then, after one that was not answered
}

// leased is an attempt under the lease.
type leased struct {
	at     *active
	key    journal.Key
	name   string // of its container
	grace  time.Duration
	ending bool
}

// newLeased is made before the attempt is being carried out, which owns what is
// read here.
func newLeased(at *active, grace time.Duration) *leased {
	return &leased{at: at, key: at.Key(), name: containerID(&at.Job).String(), grace: grace}
}

func newLeases(w *Worker) *leases {
	terms := lease.For(w.cfg.TTL)
	return &leases{
		w: w, guard: w.cfg.Guard, clock: w.cfg.Clock, step: min(time.Second, terms.TTL/50),
		terms: terms, wake: make(chan struct{}, 1),
		holder: lease.Holder{Terms: terms}, under: map[journal.Key]*leased{},
	}
}

// underLease tells whether a job's container is for a node with a lease only.
func underLease(job *messages.Job) bool {
	return job.Op == messages.OpRun && job.Policy.OnPartition == messages.PartitionStop
}

func graceOf(job *messages.Job) time.Duration {
	if job.Spec == nil {
		return 0
	}
	return job.Spec.StopGrace.Std()
}

// restore takes the lease up where the worker before this one left it. What has
// run out meanwhile is given up before it is taken up.
func (l *leases) restore(open []*active) error {
	rec, err := l.guard.Last()
	if err != nil {
		return fmt.Errorf("read the lease's record: %w", err)
	}
	if rec.Terms.TTL != 0 {
		l.holder = rec.Holder // with the terms it was told with
	}
	for _, at := range open {
		if underLease(&at.Job) {
			grace, _ := l.holder.Terms.Grace(graceOf(&at.Job))
			l.put(newLeased(at, max(0, grace)))
		}
	}
	l.endDueNow()
	return nil
}

// join puts an attempt under the lease, which is had when it returns: neither a
// refusal nor an error. stood is where it stood when the command was sent, if that
// is known.
func (l *leases) join(ctx context.Context, at *active, stood *uint64) (*messages.RouteToPeer, error) {
	t := l.terms
	grace, fits := t.Grace(graceOf(&at.Job))
	if !fits {
		return refusal(&at.Job, messages.RefusePolicy,
			"spec.stop_grace is %v and on_partition is stop: this node's lease lasts %v, which leaves a container at most %v to stop (less %v to kill it, %v for clocks that differ, and time to renew)",
			graceOf(&at.Job), t.TTL, max(0, t.LongestGrace()), t.Kill, t.Margin), nil
	}
	if err := l.secure(ctx, grace); err != nil {
		return nil, unavailable(fmt.Errorf("on_partition is stop, and this node has no lease just now: %w", err))
	}
	x := newLeased(at, grace)
	l.mu.Lock()
	if taken := l.holder.Taken; stood != nil && *stood < taken {
		l.mu.Unlock()
		return nil, unavailable(fmt.Errorf("the command was sent under the lease at sequence %d, and somebody else has held it at %d since: its job may be another node's by now", *stood, taken))
	}
	l.put(x)
	l.mu.Unlock()
	err := l.note()
	l.mu.Lock()
	if err == nil && (x.ending || l.clock.Now()+l.step >= l.holder.StopAt(grace)) {
		err = errors.New("it has run out meanwhile")
	}
	l.mu.Unlock()
	if err != nil {
		l.part(at.Key())
		return nil, unavailable(fmt.Errorf("on_partition is stop, and this node has no lease just now: %w", err))
	}
	return nil, nil
}

func (l *leases) put(x *leased) {
	l.under[x.key] = x
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// part takes an attempt from under the lease: nothing of it runs any more.
func (l *leases) part(k journal.Key) {
	l.mu.Lock()
	_, was := l.under[k]
	delete(l.under, k)
	l.mu.Unlock()
	if !was {
		return
	}
	if err := l.note(); err != nil {
		l.w.log.Warn("the guard does not know that a container has ended", "attempt", k.String(), "error", err)
	}
}

// note has the guard go by how things are now.
func (l *leases) note() error {
	l.noting.Lock()
	defer l.noting.Unlock()
	l.mu.Lock()
	rec := lease.Record{Holder: l.holder}
	if p := l.holder.Pending; p != nil {
		pending := *p
		rec.Pending = &pending
	}
	for k, x := range l.under {
		rec.Containers = append(rec.Containers, lease.Container{Name: x.name, Job: k.Job, Attempt: k.Attempt, Grace: x.grace})
	}
	l.mu.Unlock()
	slices.SortFunc(rec.Containers, func(a, b lease.Container) int { return strings.Compare(a.Name, b.Name) })
	return l.guard.Watch(rec)
}

// stopped tells whether the guard has ended an attempt's container.
func (l *leases) stopped(at *active) bool {
	return underLease(&at.Job) && l.guard.Stopped(at.Job.ID, at.Job.Attempt)
}
