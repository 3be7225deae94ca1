package worker

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

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

// publishBatch sends the oldest outcomes and takes them out of the queue, up to
// the first that could not be sent. What was sent beyond that one is sent again:
// a repeat is recognised.
func (w *Worker) publishBatch(ctx context.Context) (sent int, err error) {
	queue, err := w.cfg.Journal.Queue(batch)
	if err != nil || len(queue) == 0 {
		return 0, err
	}
	errs := w.publishAll(ctx, queue)
	for sent < len(queue) && errs[sent] == nil {
		sent++
	}
	if sent < len(queue) {
		err = errs[sent]
	}
	if sent > 0 {
		if e := w.cfg.Journal.Sent(queue[sent-1].Seq); err == nil {
			err = e
		}
	}
	return sent, err
}

// atOnce is how many jobs' outcomes are under way to the bus at a time.
const atOnce = 32

// publishAll sends outcomes, those of one job in their order, those of different
// jobs side by side: each waits for the bus to have it on its disk. After a
// failure the job's later ones are not tried.
func (w *Worker) publishAll(ctx context.Context, queue []journal.Queued) []error {
	errs := make([]error, len(queue))
	ofJob := map[string][]int{}
	var jobs []string
	for i, q := range queue {
		if ofJob[q.Outcome.Job] == nil {
			jobs = append(jobs, q.Outcome.Job)
		}
		ofJob[q.Outcome.Job] = append(ofJob[q.Outcome.Job], i)
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, job := range jobs {
		g.Go(func() error {
			var err error
			for _, i := range ofJob[job] {
				if err == nil {
					err = w.publishOne(ctx, &queue[i].Outcome)
				}
				errs[i] = err
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	return errs
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
	w.listeners.give(ev)
	data, err := messages.Encode(ev)
	if err == nil {
		err = w.cfg.Bus.Publish(w.ctx, bus.Message{Subject: w.cfg.Root.Event(w.cfg.Node, kind), Data: data})
	}
	if err != nil {
		w.log.Debug("an event was not published", "kind", kind, "error", err)
	}
}
