package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Watch is a job's record as it is and as it changes, until the job has ended:
// the last record is its last word. States that come and go between two looks
// are not shown; the record's history has them. A Job that is rejected meanwhile
// is the *messages.Error it is rejected with.
func (c *Client) Watch(ctx context.Context, id string) iter.Seq2[messages.Record, error] {
	return c.watch(ctx, id, "", nil)
}

// SubmitAndWatch is Submit and Watch in one: it listens before it submits, and
// does not show another job that had the id.
func (c *Client) SubmitAndWatch(ctx context.Context, job messages.Job) iter.Seq2[messages.Record, error] {
	data, fingerprint, err := prepare(job)
	return c.watch(ctx, job.ID, fingerprint, func() error {
		if err != nil {
			return err
		}
		return c.append(ctx, c.root.Job(job.ID), messages.JobMsgID(job.ID, fingerprint), data)
	})
}

// watch listens for a job, begins, and shows its record. With a fingerprint it
// is that job's and no other's.
func (c *Client) watch(ctx context.Context, id, fingerprint string, begin func() error) iter.Seq2[messages.Record, error] {
	return func(yield func(messages.Record, error) bool) {
		w := &watch{c: c}
		err := w.begin(id)
		if err == nil {
			defer w.stop()
			if begin != nil {
				err = begin()
			}
		}
		for err == nil {
			var rec messages.Record
			var changed bool
			if rec, changed, err = w.look(ctx, id); err != nil {
				break
			}
			ours := fingerprint == "" || rec.Fingerprint == "" || rec.Fingerprint == fingerprint
			if changed && ours && (!yield(rec, nil) || rec.State.Ended()) {
				return
			}
			if err = w.rejection(); err != nil {
				break
			}
			if _, err = w.next(ctx); err != nil {
				err = fmt.Errorf("watch job %s: %w", id, err)
			}
		}
		yield(messages.Record{}, err)
	}
}

// WatchAll is the live jobs that match, and then every change of one that does,
// its end included, until ctx ends; a record may come twice. A job that does not
// match any more is not told of. It remembers the ids of what is live.
func (c *Client) WatchAll(ctx context.Context, req messages.JobsRequest) iter.Seq2[messages.Record, error] {
	return func(yield func(messages.Record, error) bool) {
		w := &watch{c: c}
		if err := w.begin(messages.Any); err != nil {
			yield(messages.Record{}, err)
			return
		}
		defer w.stop()
		for o := (overdue{}); ; {
			if o.id == "" { // at the beginning, and after the connection was away
				if !w.list(ctx, req, yield) {
					return
				}
			} else {
				rec, changed, err := w.look(ctx, o.id)
				if err != nil {
					yield(rec, err)
					return
				}
				if changed && req.Matches(&rec) && !yield(rec, nil) {
					return
				}
				w.missed(o, rec.Updated)
			}
			var err error
			if o, err = w.next(ctx); err != nil {
				yield(messages.Record{}, fmt.Errorf("watch jobs: %w", err))
				return
			}
		}
	}
}

// watch knows which jobs may have changed, by hearing what is written about
// them. What it hears is no more than a hint, as in a wait: NATS delivers a
// publish also when the stream then refuses it. So it looks at the streams.
type watch struct {
	c    *Client
	one  bool
	subs []*nats.Subscription
	back chan nats.Status

	mu       sync.Mutex
	dirty    map[string]time.Time // jobs, and of when what was heard of each is
	order    []string             // of dirty
	rejected error
	wake     chan struct{}

	seen  map[string]uint64    // the revision of the record that was given last
	over  map[string]time.Time // which ends were given, not long ago
	pause time.Duration        // before the next look without a hint
	late  []overdue            // what was heard and is not in the streams yet
}

// overdue is something that was heard of a job before the streams have it, or
// although they refuse it.
type overdue struct {
	id    string
	at    time.Time // what was heard is of then
	due   time.Time // the next look
	pause time.Duration
}

// mostOver bounds how many ends are remembered, so that none is given twice.
const mostOver = 4096

// begin listens for what is written of one job, or of all.
func (w *watch) begin(job string) error {
	w.one = job != messages.Any
	w.dirty, w.wake = map[string]time.Time{}, make(chan struct{}, 1)
	w.seen, w.over = map[string]uint64{}, map[string]time.Time{}
	w.back = w.c.nc.StatusChanged(nats.CONNECTED)
	w.pause = lookSoon
	root := w.c.root
	for _, subject := range []string{"$KV." + root.Stream(messages.BucketJobs) + "." + job, root.Done(job), root.Outcome(messages.PlacerNode, job)} {
		s, err := w.c.nc.Subscribe(subject, w.hear)
		if err != nil {
			w.stop()
			return fmt.Errorf("listen on %s: %w", subject, err)
		}
		w.subs = append(w.subs, s)
	}
	return w.c.nc.Flush()
}

func (w *watch) stop() {
	for _, s := range w.subs {
		_ = s.Unsubscribe()
	}
	w.c.nc.RemoveStatusListener(w.back)
}

// hear notes that something was written about a job. It never waits, so nothing
// gathers but names.
func (w *watch) hear(m *nats.Msg) {
	id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.HasPrefix(m.Subject, w.c.root.Outcome(messages.PlacerNode, "")) {
		var o messages.Outcome
		if w.one && decode(m.Data, &o) == nil && o.Error != nil {
			w.rejected = o.Error
		}
	}
	var said struct {
		Updated time.Time `json:"updated"`
	}
	_ = decode(m.Data, &said) // a deletion says nothing
	at, known := w.dirty[id]
	if !known {
		w.order = append(w.order, id)
	}
	if w.dirty[id] = at; said.Updated.After(at) {
		w.dirty[id] = said.Updated
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watch) rejection() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rejected
}

// next waits until a job may have changed, and is its id. Of one job it is also
// time to look again when nothing was heard for long; of many, "" says that all
// may have changed, since the connection was away.
func (w *watch) next(ctx context.Context) (overdue, error) {
	for {
		if id, at, ok := w.take(); ok {
			w.pause = lookSoon
			return overdue{id: id, at: at, pause: lookSoon}, nil
		}
		var again <-chan time.Time
		o, in, waits := w.overdue()
		switch {
		case waits && in <= 0:
			return o, nil
		case waits:
			again = time.After(in)
		case w.one:
			again = time.After(w.pause)
		}
		select {
		case <-w.wake:
		case <-again:
			if w.one {
				w.pause = min(2*w.pause, w.c.lookAgain)
				return overdue{}, nil
			}
		case <-w.back:
			return overdue{}, nil
		case <-ctx.Done():
			return overdue{}, context.Cause(ctx)
		}
	}
}

func (w *watch) take() (id string, at time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) == 0 {
		return "", at, false
	}
	id, w.order = w.order[0], w.order[1:]
	at = w.dirty[id]
	delete(w.dirty, id)
	return id, at, true
}

// overdue is the first job whose next look is due, and how long that is from now
// when it is not yet.
func (w *watch) overdue() (o overdue, in time.Duration, ok bool) {
	if len(w.late) == 0 {
		return o, 0, false
	}
	first := 0
	for i := range w.late {
		if w.late[i].due.Before(w.late[first].due) {
			first = i
		}
	}
	o = w.late[first]
	if in = time.Until(o.due); in <= 0 {
		w.late = slices.Delete(w.late, first, first+1)
	}
	return o, in, true
}

// missed looks again later when the streams do not have yet what was heard: soon,
// and then more and more rarely, for some seconds.
func (w *watch) missed(o overdue, found time.Time) {
	if w.one || !found.Before(o.at) || o.pause > w.c.lookAgain {
		return
	}
	o.due, o.pause = time.Now().Add(o.pause), 2*o.pause
	w.late = append(w.late, o)
}

// list gives every live job that matches.
func (w *watch) list(ctx context.Context, req messages.JobsRequest, yield func(messages.Record, error) bool) bool {
	for rec, err := range w.c.Jobs(ctx, req) {
		if !yield(rec, err) || err != nil {
			return false
		}
	}
	return true
}

// look is a job's record, and whether it is another than the one given last.
// That nothing answers in time is the same as no change.
func (w *watch) look(ctx context.Context, id string) (rec messages.Record, changed bool, err error) {
	within, cancel := context.WithTimeout(ctx, w.c.lookWithin)
	defer cancel()
	rec, revision, err := w.c.live(within, id)
	if err == nil && revision == 0 {
		var found bool
		if rec, found, err = w.c.ended(within, id); err == nil && found {
			return rec, w.ends(&rec), nil
		}
	}
	if err != nil || revision <= w.seen[id] {
		return rec, false, passing(err)
	}
	if w.seen[id] = revision; rec.State.Ended() {
		return rec, w.ends(&rec), nil
	}
	return rec, true, nil
}

// ends notes a job's end, and tells whether it is new.
func (w *watch) ends(rec *messages.Record) bool {
	id := rec.Job.ID
	delete(w.seen, id)
	if w.over[id].Equal(rec.Updated) {
		return false
	}
	if len(w.over) >= mostOver {
		clear(w.over)
	}
	w.over[id] = rec.Updated
	return true
}

// passing takes the errors away that a later look may not have.
func passing(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		return nil
	}
	return err
}

// live is a job's record in the bucket of live ones, at its revision, 0 for none.
func (c *Client) live(ctx context.Context, id string) (rec messages.Record, revision uint64, err error) {
	bucket, err := c.js.KeyValue(ctx, c.root.Stream(messages.BucketJobs))
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return rec, 0, nil
	}
	if err != nil {
		return rec, 0, fmt.Errorf("bucket %s: %w", c.root.Stream(messages.BucketJobs), err)
	}
	entry, err := bucket.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return rec, 0, nil
	}
	if err != nil {
		return rec, 0, fmt.Errorf("look for job %s: %w", id, err)
	}
	return rec, entry.Revision(), decode(entry.Value(), &rec)
}
