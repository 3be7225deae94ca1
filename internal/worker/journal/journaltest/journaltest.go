// Package journaltest is what every journal must do. An adapter's test runs
// each of the Cases on a store of its own:
//
//	for name, holds := range journaltest.Cases() {
//		t.Run(name, func(t *testing.T) { holds(t, store) })
//	}
//
// It asks of a test only what T says, so that it need not import package
// testing, which nothing that ships may bring along.
package journaltest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/supervise"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// T is what a case needs of a *testing.T.
type T interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Store is where a journal lives between openings. Open opens it, or opens it
// again: what was written before is there.
type Store interface {
	Open() (journal.Journal, error)
}

// Cases are the port's promises, by name.
func Cases() map[string]func(T, Store) {
	return map[string]func(T, Store){
		"Identity":        identity,
		"Attempts":        attempts,
		"Newest":          newest,
		"OpenAttempts":    openAttempts,
		"Queue":           queue,
		"OneTransaction":  oneTransaction,
		"Forget":          forget,
		"NewestForgotten": newestForgotten,
		"Reopened":        reopened,
		"Settings":        settings,
		"Concurrent":      concurrent,
	}
}

func open(t T, s Store) journal.Journal {
	t.Helper()
	j, err := s.Open()
	must(t, err)
	return j
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// Attempt is an attempt that has just been accepted.
func Attempt(job string, attempt uint64) journal.Attempt {
	a := journal.Attempt{
		Job: messages.Job{
			V: messages.Version, ID: job, Op: messages.OpRun, Attempt: attempt,
			Spec: &messages.Spec{Image: "registry.example/web:1", Env: map[string]string{"A": "1"}},
		},
		Fingerprint: "f", Direct: true, Phase: journal.PhaseAccepted, Accepted: epoch.Add(time.Duration(attempt)),
	}
	o := Outcome(job, attempt, 1)
	a.Last = &o
	return a
}

// Outcome is a word on an attempt.
func Outcome(job string, attempt, seq uint64) messages.Outcome {
	return messages.Outcome{V: messages.Version, Job: job, Node: "n", Attempt: attempt, Seq: seq, Status: messages.StatusAccepted, At: epoch}
}

func ended(a journal.Attempt, at time.Time) journal.Attempt {
	a.Phase, a.Ended = journal.PhaseEnded, at
	return a
}

func identity(t T, s Store) {
	j := open(t, s)
	id := j.ID()
	if !messages.ValidToken(id) || j.Opened() != 1 {
		t.Errorf("a new journal is %q, opened %d times", id, j.Opened())
	}
	must(t, j.Close())
	for n := uint64(2); n < 4; n++ {
		j = open(t, s)
		if j.ID() != id || j.Opened() != n {
			t.Errorf("opening %d: it is %q (was %q), opened %d times", n, j.ID(), id, j.Opened())
		}
		must(t, j.Close())
	}
}

func attempts(t T, s Store) {
	j := open(t, s)
	defer func() { must(t, j.Close()) }()
	if _, err := j.Attempt("job", 1); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("an attempt nobody wrote: %v", err)
	}
	want := Attempt("job", 1)
	must(t, j.Write(want))
	same(t, j, "job", 1, want)
	want.Phase, want.Started = journal.PhaseStarting, epoch.Add(time.Second)
	want.Supervision = supervise.Record{
		Began: epoch.Add(1), Ended: epoch.Add(2), Restarts: 3, InARow: 2, Due: epoch.Add(3), InHand: true, Stopped: true,
		Said: true, Healthy: true, SaidAt: epoch.Add(4),
	}
	must(t, j.Write(want))
	same(t, j, "job", 1, want)
	for _, other := range []journal.Key{{Job: "job", Attempt: 2}, {Job: "jo", Attempt: 1}, {Job: "job1", Attempt: 1}, {Job: "", Attempt: 0}} {
		if _, err := j.Attempt(other.Job, other.Attempt); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("%s: %v", other, err)
		}
	}
}

// newest asks for attempt 0, among jobs whose names begin alike, with attempts
// whose order as text is another.
func newest(t T, s Store) {
	j := open(t, s)
	defer func() { must(t, j.Close()) }()
	for _, k := range []journal.Key{{Job: "a", Attempt: 9}, {Job: "a", Attempt: 10}, {Job: "a", Attempt: 2}, {Job: "a-b", Attempt: 300}, {Job: "a0", Attempt: 1}, {Job: "Z", Attempt: 5}} {
		must(t, j.Write(Attempt(k.Job, k.Attempt)))
	}
	for job, want := range map[string]uint64{"a": 10, "a-b": 300, "a0": 1, "Z": 5} {
		if a, err := j.Attempt(job, 0); err != nil || a.Job.Attempt != want {
			t.Errorf("the newest of %s is %d (%v), want %d", job, a.Job.Attempt, err, want)
		}
	}
	for _, job := range []string{"", "b", "A", "a-", "zz"} {
		if a, err := j.Attempt(job, 0); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("the newest of %q is %s (%v)", job, a.Key(), err)
		}
	}
}

func openAttempts(t T, s Store) {
	j := open(t, s)
	defer func() { must(t, j.Close()) }()
	for _, k := range []journal.Key{{Job: "b", Attempt: 3}, {Job: "a", Attempt: 3}, {Job: "c", Attempt: 1}, {Job: "d", Attempt: 2}} {
		must(t, j.Write(Attempt(k.Job, k.Attempt)))
	}
	must(t, j.Write(ended(Attempt("d", 2), epoch)))
	all, err := j.Open()
	must(t, err)
	var got []string
	for _, a := range all {
		got = append(got, a.Key().String())
	}
	// In the order of their acceptance, which is that of their attempts.
	if diff := cmp.Diff([]string{"c/1", "a/3", "b/3"}, got); diff != "" {
		t.Errorf("open are (-want +got):\n%s", diff)
	}
}

func queue(t T, s Store) {
	j := open(t, s)
	defer func() { must(t, j.Close()) }()
	if q, err := j.Queue(10); err != nil || len(q) != 0 {
		t.Errorf("a new journal's queue: %v (%v)", q, err)
	}
	for n := range uint64(5) {
		must(t, j.Write(Attempt("job", 1), Outcome("job", 1, 2*n+1), Outcome("job", 1, 2*n+2)))
	}
	q := order(t, j, 4, 1, 2, 3, 4)
	must(t, j.Sent(q[1].Seq))
	q = order(t, j, 100, 3, 4, 5, 6, 7, 8, 9, 10)
	must(t, j.Sent(q[0].Seq-1)) // nothing is left up to there
	order(t, j, 2, 3, 4)
	must(t, j.Sent(q[len(q)-1].Seq))
	order(t, j, 100)
	must(t, j.Write(Attempt("job", 1), Outcome("job", 1, 11)))
	if again := order(t, j, 100, 11); again[0].Seq <= q[len(q)-1].Seq {
		t.Errorf("a place in the queue was given twice: %d after %d", again[0].Seq, q[len(q)-1].Seq)
	}
}

// order checks the sequences of the oldest outcomes, and that places rise.
func order(t T, j journal.Journal, limit int, want ...uint64) []journal.Queued {
	t.Helper()
	q, err := j.Queue(limit)
	must(t, err)
	var got []uint64
	for i := range q {
		got = append(got, q[i].Outcome.Seq)
		if i > 0 && q[i].Seq <= q[i-1].Seq {
			t.Errorf("place %d comes after %d", q[i].Seq, q[i-1].Seq)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the queue is (-want +got):\n%s", diff)
	}
	return q
}

// oneTransaction: an attempt is noted together with what is said of it.
func oneTransaction(t T, s Store) {
	j := open(t, s)
	a := ended(Attempt("job", 1), epoch)
	o := Outcome("job", 1, 2)
	o.Status, o.Result = messages.StatusCompleted, &messages.Result{Container: "job-rep-0", Stdout: "é\n"}
	a.Last = &o
	must(t, j.Write(a, o))
	must(t, j.Close())
	j = open(t, s)
	defer func() { must(t, j.Close()) }()
	same(t, j, "job", 1, a)
	q := order(t, j, 9, 2)
	if diff := cmp.Diff(o, q[0].Outcome); diff != "" {
		t.Errorf("the outcome came back as (-want +got):\n%s", diff)
	}
}

func forget(t T, s Store) {
	j := open(t, s)
	defer func() { must(t, j.Close()) }()
	must(t, j.Write(ended(Attempt("old", 1), epoch), Outcome("old", 1, 2)))
	must(t, j.Write(ended(Attempt("young", 1), epoch.Add(time.Hour))))
	must(t, j.Write(Attempt("open", 1)))
	if n, err := j.Forget(epoch); err != nil || n != 0 {
		t.Errorf("%d that ended before the first are forgotten (%v)", n, err)
	}
	if n, err := j.Forget(epoch.Add(time.Minute)); err != nil || n != 1 {
		t.Errorf("%d are forgotten (%v), want 1", n, err)
	}
	for job, kept := range map[string]bool{"old": false, "young": true, "open": true} {
		for _, attempt := range []uint64{0, 1} {
			if _, err := j.Attempt(job, attempt); (err == nil) != kept {
				t.Errorf("%s/%d: %v", job, attempt, err)
			}
		}
	}
	order(t, j, 9, 2) // what is owed is owed, however old
}

func newestForgotten(t T, s Store) {
	j := open(t, s)
	defer func() { must(t, j.Close()) }()
	must(t, j.Write(ended(Attempt("job", 1), epoch.Add(time.Hour)))) // revoked late
	must(t, j.Write(ended(Attempt("job", 2), epoch)))
	if n, err := j.Forget(epoch.Add(time.Minute)); err != nil || n != 1 {
		t.Errorf("%d are forgotten (%v), want 1", n, err)
	}
	if a, err := j.Attempt("job", 0); err != nil || a.Job.Attempt != 1 {
		t.Errorf("the newest left is %s (%v), want attempt 1", a.Key(), err)
	}
}

func reopened(t T, s Store) {
	j := open(t, s)
	must(t, j.Write(Attempt("a", 1), Outcome("a", 1, 1)))
	must(t, j.Write(ended(Attempt("b", 1), epoch), Outcome("b", 1, 2)))
	q, err := j.Queue(1)
	must(t, err)
	must(t, j.Sent(q[0].Seq))
	must(t, j.Close())
	j = open(t, s)
	defer func() { must(t, j.Close()) }()
	same(t, j, "a", 1, Attempt("a", 1))
	order(t, j, 9, 2)
	all, err := j.Open()
	if err != nil || len(all) != 1 || all[0].Job.ID != "a" {
		t.Errorf("open are %v (%v)", all, err)
	}
	must(t, j.Write(Attempt("c", 1), Outcome("c", 1, 3)))
	order(t, j, 9, 2, 3)
}

func settings(t T, s Store) {
	j := open(t, s)
	if got, err := j.Settings(); err != nil || got != (journal.Settings{}) {
		t.Errorf("a new journal's settings are %+v (%v)", got, err)
	}
	for _, want := range []journal.Settings{{Draining: true}, {}, {Draining: true}} {
		must(t, j.Set(want))
		if got, err := j.Settings(); err != nil || got != want {
			t.Errorf("the settings are %+v (%v), want %+v", got, err, want)
		}
	}
	must(t, j.Close())
	j = open(t, s)
	defer func() { must(t, j.Close()) }()
	if got, err := j.Settings(); err != nil || !got.Draining {
		t.Errorf("opened again the settings are %+v (%v)", got, err)
	}
}

func concurrent(t T, s Store) {
	const writers, each = 8, 20
	j := open(t, s)
	defer func() { must(t, j.Close()) }()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range uint64(each) {
				job := fmt.Sprintf("job-%d", w)
				if err := j.Write(Attempt(job, n+1), Outcome(job, n+1, 1)); err != nil {
					t.Error(err)
				}
				if a, err := j.Attempt(job, 0); err != nil || a.Job.Attempt != n+1 {
					t.Errorf("%s: read %d (%v) after writing %d", job, a.Job.Attempt, err, n+1)
				}
			}
		})
	}
	wg.Wait()
	q, err := j.Queue(2 * writers * each)
	must(t, err)
	last := map[string]uint64{}
	for _, o := range q {
		if o.Outcome.Attempt != last[o.Outcome.Job]+1 {
			t.Fatalf("%s: %d is queued behind %d", o.Outcome.Job, o.Outcome.Attempt, last[o.Outcome.Job])
		}
		last[o.Outcome.Job]++
	}
	if len(q) != writers*each {
		t.Errorf("%d outcomes are queued, want %d", len(q), writers*each)
	}
}

func same(t T, j journal.Journal, job string, attempt uint64, want journal.Attempt) {
	t.Helper()
	got, err := j.Attempt(job, attempt)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s/%d came back as (-want +got):\n%s", job, attempt, diff)
	}
}

func must(t T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
