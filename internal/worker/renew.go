package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

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
	incarnation := l.w.Incarnation()
	l.mu.Lock()
	if !l.holder.Held && len(l.under) > 0 {
		l.mu.Unlock()
		return errors.New("what ran under the last one is still being stopped")
	}
	if len(l.under) == 0 {
		l.holder.Terms, l.holder.Held = l.terms, false // nothing is lost if it is another's by now
	}
	l.renewed++
	r := l.holder.Renew(l.clock.Now(), "lease/"+incarnation, l.renewed)
	ttl := l.holder.Terms.TTL
	l.mu.Unlock()
	if err := l.note(); err != nil {
		return err
	}
	data, err := messages.Encode(messages.Lease{
		V: messages.Version, Node: l.w.cfg.Node, Incarnation: incarnation, At: time.Now(), TTL: messages.Duration(ttl),
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
