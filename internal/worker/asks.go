package worker

import (
	"context"

	"github.com/shunt-fleet/shunt/internal/worker/supervise"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// ask is an event for whoever supervises a container, from an op on it.
type ask struct {
	event supervise.Event
	taken chan<- bool // gets whether the container was waiting to be started again
}

// ask has an event taken in, and returns when that is journaled, or when the
// attempt is over.
func (at *active) ask(ctx context.Context, ev supervise.Event) (wasWaiting bool, err error) {
	taken := make(chan bool, 1)
	select {
	case at.asks <- ask{ev, taken}:
	case <-at.done:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	select {
	case wasWaiting = <-taken:
		return wasWaiting, nil
	case <-at.done:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// endAsked notes that a container's end is asked for, so that it is neither
// started again nor a failure of a service. Until seen is called the container is
// not tidied away: whoever asked wants to see how it ended. Several may ask at
// once, by its several names.
func (w *Worker) endAsked(ctx context.Context, id runtime.ContainerID) (waits bool, seen func(), err error) {
	at := w.runningOn(ctx, id)
	if at == nil {
		return false, func() {}, nil
	}
	done := make(chan struct{})
	at.mu.Lock()
	at.stopping = append(at.stopping, done)
	at.mu.Unlock()
	seen = func() { close(done) }
	if waits, err = at.ask(ctx, supervise.StopAsked{}); err != nil {
		seen()
	}
	return waits, seen, err
}

// stopsSeen are closed when those who asked for the container's end have seen it,
// each its own.
func (at *active) stopsSeen() []<-chan struct{} {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.stopping
}

// takeInHand notes that an op is about to stop or start a container, so that
// what it does is not undone, or judged, before it lets go.
func (w *Worker) takeInHand(ctx context.Context, id runtime.ContainerID) (letGo func(), err error) {
	at := w.runningOn(ctx, id)
	if at == nil {
		return func() {}, nil
	}
	if _, err := at.ask(ctx, supervise.Taken{}); err != nil {
		return nil, err
	}
	return func() {
		_, _ = at.ask(w.ctx, supervise.LetGo{}) // fails when the worker stops; the next one sees that nobody lets go
	}, nil
}

func (at *active) setView(s supervise.State) {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.view = s
}

// isWaiting tells whether the container has ended and is to be started again.
func (at *active) isWaiting() bool {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.view.Waiting()
}

// health is what the checks of the container have come to; nil: it has none.
func (at *active) health() *messages.HealthStatus {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.view.Health()
}
