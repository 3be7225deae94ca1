package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus/membus"
)

// fate is what becomes of a message or an operation on its way.
type fate int

const (
	arrives    fate = iota
	lost            // it never arrives
	unanswered      // it arrives, and the answer is lost
	late            // it arrives when nobody waits for the answer any more
	twice           // it arrives, and once more later
)

// patience is how long an operation without a time-out of its own waits for an
// answer.
const patience = 5 * time.Second

// fateOf decides what becomes of the nth call. durable says that it is an
// operation on a stream or bucket: those are not done twice by the network.
func (l *life) fateOf(call string, n int, durable bool) fate {
	conn, c, _ := l.link.state()
	switch {
	case conn == nil || c == cutOut || c == cutBoth:
		return lost
	case c == cutIn:
		return unanswered
	case !l.s.faulty():
		return arrives
	}
	f, d, p := l.s.cfg.Faults, l.s.dice, l.p.name
	switch {
	case durable && f[Unknown] && d.chance(80, "unknown/"+call, p, n):
		return []fate{lost, unanswered, late}[d.roll("which/"+call, p, n)%3]
	case durable:
		return arrives
	case f[Loss] && d.chance(25, "loss/"+call, p, n):
		return []fate{lost, unanswered}[d.roll("which/"+call, p, n)%2]
	case f[Delay] && d.chance(50, "late/"+call, p, n):
		return late
	case f[Duplicate] && d.chance(25, "twice/"+call, p, n):
		return twice
	}
	return arrives
}

// travel lets the time pass that a message takes: none mostly, or some
// milliseconds, in which others can come first, and now and then long enough to
// be overtaken by much.
func (l *life) travel(ctx context.Context, call string, n int) {
	if !l.s.faulty() || !l.s.cfg.Faults[Delay] {
		return
	}
	d, p := l.s.dice, l.p.name
	switch {
	case d.chance(40, "slow/"+call, p, n):
		l.pause(ctx, d.upTo(2*time.Second, "slow for/"+call, p, n))
	case d.chance(3, "delay/"+call, p, n):
		l.pause(ctx, d.upTo(20*time.Millisecond, "delay for/"+call, p, n))
	}
}

// noAnswer waits as long as one that waits for an answer does.
func (l *life) noAnswer(ctx context.Context, call string) error {
	l.pause(ctx, patience)
	if ctx.Err() != nil {
		return fmt.Errorf("sim: %s: no answer: %w", call, context.Cause(ctx))
	}
	return fmt.Errorf("sim: %s: no answer: %w", call, context.DeadlineExceeded)
}

// durable passes an operation on a stream or bucket through the life and the
// network. That it gives an error says nothing of whether it took effect.
func durable[T any](ctx context.Context, l *life, call string, f func(context.Context, *membus.Conn) (T, error)) (T, error) {
	var none T
	n, ok := l.enter(call)
	if !ok {
		return none, errCrashed
	}
	ctx, cancel := l.bound(ctx)
	defer cancel()
	fate := l.fateOf(call, n, true)
	l.travel(ctx, call, n)
	conn, _, _ := l.link.state()
	if conn == nil {
		fate = lost
	}
	if l.isDead() {
		return none, errCrashed // on its way from the process to the bus
	}
	switch fate {
	case lost:
		return none, l.leave(call, n, l.noAnswer(ctx, call))
	case unanswered:
		_, _ = f(ctx, conn)
		return none, l.leave(call, n, l.noAnswer(ctx, call))
	case late:
		l.s.later(l.lateness(call, n), func(ctx context.Context, net *membus.Conn) { _, _ = f(ctx, net) })
		return none, l.leave(call, n, l.noAnswer(ctx, call))
	}
	v, err := f(ctx, conn)
	if err := l.leave(call, n, err); err != nil {
		return none, err
	}
	return v, nil
}

// lateness is how late what is late comes.
func (l *life) lateness(call string, n int) time.Duration {
	return time.Second + l.s.dice.upTo(20*time.Second, "lateness/"+call, l.p.name, n)
}
