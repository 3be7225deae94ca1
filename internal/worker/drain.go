package worker

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// drain is whether the worker takes new work. It does not while an operator has
// asked for that, which its journal remembers, nor once its process is leaving,
// which the next one need not know.
type drain struct {
	mu      slowLock
	asked   bool
	leaving bool
	told    bool // that it is drained
}

// restoreDrain is as the worker before this one was.
func (w *Worker) restoreDrain() error {
	s, err := w.cfg.Journal.Settings()
	if err != nil {
		return err
	}
	w.drain.asked = s.Draining
	w.attempts.close(s.Draining)
	return nil
}

// drainVerb stops new work, and answers when nothing is left or the time it was
// given is over; with too many who wait it answers as if that were so.
func (w *Worker) drainVerb(ctx context.Context, req messages.DrainRequest) (any, error) {
	if err := req.CheckSubjectNode(w.cfg.Node); err != nil {
		return nil, err
	}
	if err := w.askDrain(true); err != nil {
		return nil, err
	}
	if limit := req.Timeout.Std(); limit > 0 && w.open.enter() == nil {
		defer w.open.leave()
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		w.attempts.awaitNone(ctx)
	}
	return w.drainReply(), nil
}

func (w *Worker) undrainVerb(_ context.Context, req messages.DrainRequest) (any, error) {
	if err := req.CheckSubjectNode(w.cfg.Node); err != nil {
		return nil, err
	}
	if err := w.askDrain(false); err != nil {
		return nil, err
	}
	return w.drainReply(), nil
}

func (w *Worker) drainReply() messages.DrainReply {
	return messages.DrainReply{
		V: messages.Version, Node: w.cfg.Node, Draining: w.attempts.isClosed(), Left: w.attempts.count(),
	}
}

// askDrain journals what an operator asks for, then does it.
func (w *Worker) askDrain(on bool) error {
	w.drain.mu.Lock()
	defer w.drain.mu.Unlock()
	if w.drain.leaving && !on {
		return &messages.Error{
			Code: messages.CodeFailedPrecondition, Message: "the worker is leaving; undrain the one that comes after it",
		}
	}
	if on != w.drain.asked {
		if err := w.cfg.Journal.Set(journal.Settings{Draining: on}); err != nil {
			return unavailable(err)
		}
		w.drain.asked = on
		w.drain.told = false
		w.attempts.close(on)
		if on {
			w.log.Info("draining: no new work is taken", "left", w.attempts.count())
			w.tell(messages.EventNodeDraining, nil, "")
		} else {
			w.log.Info("taking work again")
			w.tell(messages.EventNodeUp, nil, "it takes work again")
		}
		w.changed()
	}
	w.tellDrained()
	return nil
}

// drained tells, once, that a draining worker has nothing left.
func (w *Worker) drained() {
	if !w.attempts.isClosed() {
		return
	}
	w.drain.mu.Lock()
	defer w.drain.mu.Unlock()
	w.tellDrained()
}

func (w *Worker) tellDrained() {
	if w.drain.told || !w.attempts.isClosed() || w.attempts.count() > 0 {
		return
	}
	w.drain.told = true
	w.log.Info("drained: nothing is left")
	w.tell(messages.EventNodeDrained, nil, "")
}

// Leave drains the worker because its process is about to end: it takes no new
// work, and returns when nothing is left or ctx ends. The next worker on this
// node is not draining, unless an operator has asked for that. Stop comes after
// it.
func (w *Worker) Leave(ctx context.Context) {
	w.drain.mu.Lock()
	w.drain.leaving = true
	w.attempts.close(true)
	w.log.Info("leaving: no new work is taken", "left", w.attempts.count())
	w.tell(messages.EventNodeDraining, nil, "its worker is leaving")
	w.changed()
	w.tellDrained()
	w.drain.mu.Unlock()
	w.attempts.awaitNone(ctx)
}

// waiting makes a handler of a verb that may wait for as long as its request
// says.
func waiting[T any, P interface {
	*T
	messages.Validator
}](w *Worker, f func(context.Context, T) (any, error)) func(bus.Request) {
	return answering[T, P](w, longest, f)
}

// longest bounds every answer, so that nobody's request is kept for ever.
const longest = 24 * time.Hour
