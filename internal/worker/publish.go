package worker

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// batch is how many outcomes are read from the journal at once.
const batch = 64

// publish sends the journal's queue, in order, for as long as it takes.
func (w *Worker) publish() {
	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = 5 * time.Second
	for {
		sent, err := w.publishBatch(w.ctx)
		wait := w.outbox
		var retry <-chan time.Time
		switch {
		case err != nil && w.ctx.Err() == nil:
			d := pause.NextBackOff()
			w.log.Warn("outcomes wait to be published", "error", err, "again_in", d)
			wait, retry = nil, time.After(d)
		case sent > 0:
			pause.Reset()
			continue // there may be more
		}
		select {
		case <-w.ctx.Done():
			return
		case <-wait:
		case <-retry:
		}
	}
}

// publishBatch sends the oldest outcomes and takes them out of the queue.
func (w *Worker) publishBatch(ctx context.Context) (sent int, err error) {
	queue, err := w.cfg.Journal.Queue(batch)
	if err != nil || len(queue) == 0 {
		return 0, err
	}
	for _, q := range queue {
		if err = w.publishOne(ctx, &q.Outcome); err != nil {
			break
		}
		sent++
	}
	if sent > 0 {
		if e := w.cfg.Journal.Sent(queue[sent-1].Seq); err == nil {
			err = e
		}
	}
	return sent, err
}

func (w *Worker) publishOne(ctx context.Context, o *messages.Outcome) error {
	data, err := messages.Encode(o)
	if err != nil {
		return err
	}
	_, err = w.cfg.Bus.Append(ctx, bus.Message{
		Subject: w.cfg.Root.Outcome(o.Node, o.Job),
		Header:  bus.Header{messages.HeaderMsgID: o.MsgID()},
		Data:    data,
	})
	return err
}

// queued says that the journal's queue has grown.
func (w *Worker) queued() {
	select {
	case w.outbox <- struct{}{}:
	default:
	}
}

// flush waits until the queue is empty or ctx ends.
func (w *Worker) flush(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		waiting, err := w.cfg.Journal.Queue(1)
		if err != nil || len(waiting) == 0 {
			return
		}
		if connected, _ := w.cfg.Bus.Connection(); !connected {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tell publishes an event; nobody depends on it.
func (w *Worker) tell(kind messages.EventKind, a *journal.Attempt, message string) {
	ev := messages.Event{
		V: messages.Version, At: time.Now(), Node: w.cfg.Node, Kind: kind,
		Message: messages.TruncateReason(message),
	}
	if a != nil {
		ev.Job, ev.Attempt, ev.Container = a.Job.ID, a.Job.Attempt, a.Job.ContainerName()
	}
	data, err := messages.Encode(ev)
	if err == nil {
		err = w.cfg.Bus.Publish(w.ctx, bus.Message{Subject: w.cfg.Root.Event(w.cfg.Node, kind), Data: data})
	}
	if err != nil {
		w.log.Debug("an event was not published", "kind", kind, "error", err)
	}
}
