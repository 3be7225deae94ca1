package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
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

	sending sync.Mutex // one renewal at a time
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
// refusal nor an error.
func (l *leases) join(ctx context.Context, at *active) (*messages.RouteToPeer, error) {
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

// secure returns nil once the lease is fresh enough for a container with that
// grace.
func (l *leases) secure(ctx context.Context, grace time.Duration) error {
	for range 3 { // a renewal that was under way for long may be old already
		l.mu.Lock()
		now := l.clock.Now()
		fresh, wary := l.holder.Fresh(now, max(grace, l.longest())), now < l.wary
		l.mu.Unlock()
		switch {
		case wary:
			return errors.New("it was somebody else's a moment ago")
		case fresh:
			return nil
		}
		if err := l.renew(ctx); err != nil {
			return err
		}
	}
	return errors.New("its renewal took too long")
}

// longest is the longest grace under the lease.
func (l *leases) longest() time.Duration {
	longest := time.Duration(0)
	for _, x := range l.under {
		longest = max(longest, x.grace)
	}
	return longest
}

// renew sends one renewal. No answer is unknown: the same one is sent again the
// next time.
func (l *leases) renew(ctx context.Context) error {
	l.sending.Lock()
	defer l.sending.Unlock()
	l.mu.Lock()
	if !l.holder.Held && len(l.under) > 0 {
		l.mu.Unlock()
		return errors.New("what ran under the last one is still being stopped")
	}
	if len(l.under) == 0 {
		l.holder.Terms, l.holder.Held = l.terms, false // nothing is lost if it is another's by now
	}
	l.renewed++
	r := l.holder.Renew(l.clock.Now(), "lease/"+l.w.Incarnation(), l.renewed)
	ttl := l.holder.Terms.TTL
	l.mu.Unlock()
	if err := l.note(); err != nil {
		return err
	}
	data, err := messages.Encode(messages.Lease{
		V: messages.Version, Node: l.w.cfg.Node, Incarnation: l.w.Incarnation(), At: time.Now(), TTL: messages.Duration(ttl),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, max(ttl/4, time.Second))
	defer cancel()
	seq, err := l.w.cfg.Bus.Append(ctx, bus.Message{
		Subject: l.w.cfg.Root.Lease(l.w.cfg.Node), Data: data,
		Header: bus.Header{messages.HeaderMsgID: r.ID, messages.HeaderExpectSeq: fmt.Sprint(r.Expect)},
	})
	if err = l.learn(seq, err); err != nil {
		return err
	}
	return l.note()
}

// learn takes in how a renewal went.
func (l *leases) learn(seq uint64, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	conflict, ok := errors.AsType[*bus.ConflictError](err)
	switch {
	case err == nil:
		l.holder.Acknowledged(seq)
		return nil
	case !ok:
		return err
	}
	lost, known := l.holder.Conflict(conflict.Last)
	if !known {
		return err
	}
	// A command of before may still be on its way to here, and its job have been
	// given to another node since.
	l.wary = l.clock.Now() + l.holder.Terms.TTL
	if lost {
		l.w.log.Error("the lease is lost: somebody has declared this node lost; what runs under it is ended at once", "error", err)
		l.endDue()
	}
	return err
}

// keep renews the lease while something is under it, and gives up what has to
// stop. Timers do not count suspend, so it looks at the clock often.
func (l *leases) keep() {
	tick := time.NewTicker(l.step)
	defer tick.Stop()
	for {
		select {
		case <-l.w.ctx.Done():
			return
		case <-tick.C:
		}
		if !l.used() {
			tick.Stop() // an idle node costs nothing
			select {
			case <-l.w.ctx.Done():
				return
			case <-l.wake:
				tick.Reset(l.step)
			}
		}
		if l.check() {
			l.w.work.Go(func() {
				if err := l.renew(l.w.ctx); err != nil && l.w.ctx.Err() == nil {
					l.w.log.Warn("the lease is not renewed", "error", err)
				}
				l.mu.Lock()
				l.busy, l.again = false, l.clock.Now()+l.holder.Terms.TTL/20
				l.mu.Unlock()
			})
		}
	}
}

func (l *leases) used() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.under) > 0
}

// check gives up what has to stop, and tells whether to renew.
func (l *leases) check() (renew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endDue()
	now := l.clock.Now()
	if l.busy || now < l.again || len(l.under) == 0 || !l.holder.Held || l.holder.Fresh(now, l.longest()) {
		return false
	}
	l.busy = true
	return true
}

// endDueNow is endDue between two looks.
func (l *leases) endDueNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endDue()
}

// endDue gives up every attempt whose container has to begin to stop before the
// next look at the clock.
func (l *leases) endDue() {
	now := l.clock.Now()
	for k, x := range l.under {
		if x.ending || now+l.step < l.holder.StopAt(x.grace) {
			continue
		}
		x.ending = true
		l.w.log.Warn("the lease runs out; a job is stopped", "attempt", k.String())
		x.at.cutOff(l.holder.GraceLeft(now, x.grace))
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

// noGuard keeps the record for as long as the worker lives: for a runtime whose
// containers do not outlive it.
type noGuard struct {
	mu     sync.Mutex
	record lease.Record
}

func (g *noGuard) Watch(r lease.Record) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.record = r
	return nil
}

func (g *noGuard) Last() (lease.Record, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.record, nil
}

func (g *noGuard) Stopped(string, uint64) bool { return false }

// processClock is the process's own monotonic clock.
type processClock struct{ begun time.Time }

func (c processClock) Now() time.Duration { return time.Since(c.begun) }
