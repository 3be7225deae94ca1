package placer

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func recordOf(job string) *messages.Record {
	return &messages.Record{V: 1, Job: messages.Job{V: 1, ID: job}, State: messages.StatePending}
}

// A placer's own writes and the bucket's changes come in any order.
func TestRecordsTakeTheNewestInAnyOrder(t *testing.T) {
	r := newRecords()
	newer, older := recordOf("a"), recordOf("a")
	r.set("a", newer, 7)
	r.set("a", older, 6)
	if e, ok := r.get("a"); !ok || e.record != newer || e.revision != 7 {
		t.Errorf("it is at %d", e.revision)
	}
	r.drop("a", 6)
	if _, ok := r.get("a"); !ok {
		t.Error("an older deletion took it away")
	}
	r.deleted("a", 7)
	r.set("a", newer, 7) // the change comes after the deletion
	if _, ok := r.get("a"); ok {
		t.Error("a late change brought it back")
	}
	r.set("a", recordOf("a"), 9)
	if _, ok := r.get("a"); !ok {
		t.Error("a job of that id, later, is not taken in")
	}
}

// Deletions are remembered for no longer than their changes are on the way,
// whichever of the two comes first.
func TestRecordsForgetDeletions(t *testing.T) {
	r := newRecords()
	for i := range uint64(1000) {
		job := fmt.Sprintf("job-%d", i)
		put, gone := 2*i+1, 2*i+2
		r.set(job, recordOf(job), put)
		if i%2 == 0 {
			r.hear(put)
			r.hear(gone)
			r.deleted(job, put)
		} else {
			r.deleted(job, put)
			r.hear(put)
			r.hear(gone)
		}
	}
	if len(r.gone) != 0 || len(r.live) != 0 {
		t.Errorf("%d deletions and %d records are kept", len(r.gone), len(r.live))
	}
}

// What this placer wrote itself comes back as a change of the bucket, before or
// after the write has returned; only what others wrote has to be read.
func TestRecordsKnowTheirOwnWrites(t *testing.T) {
	r := newRecords()
	rec, data := recordOf("j"), []byte("a record")
	change := bus.Entry{Key: "j", Value: data, Revision: 4}
	over := r.write("j", rec, data)
	if own, known := r.own(change); own != rec || known {
		t.Errorf("before the write returns: %v, %v", own, known)
	}
	if own, known := r.own(bus.Entry{Key: "j", Value: []byte("another"), Revision: 4}); own != nil || known {
		t.Errorf("what another wrote meanwhile: %v, %v", own, known)
	}
	r.set("j", rec, 4)
	over()
	if own, known := r.own(change); own != nil || !known {
		t.Errorf("after it: %v, %v", own, known)
	}
	change.Revision++
	if own, known := r.own(change); own != nil || known {
		t.Errorf("what another wrote after it: %v, %v", own, known)
	}
	r.deleted("j", 5)
	if own, known := r.own(change); own != nil || !known {
		t.Errorf("what has been deleted since: %v, %v", own, known)
	}
	if len(r.writing) != 0 {
		t.Errorf("%d writes are kept", len(r.writing))
	}
}

func TestEarlyMessagesAreWaitedWithForAWhileAndBounded(t *testing.T) {
	e, now := newEarlyMessages(10*time.Second), time.Now()
	m := early{"shunt.outcome.a.b", 1}
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {9 * time.Second, true}, {10 * time.Second, false}, {11 * time.Second, true}} {
		if got := e.wait(m, now.Add(c.after)); got != c.want {
			t.Errorf("after %v: %v", c.after, got)
		}
	}
	for i := range uint64(3 * mostEarly) {
		e.wait(early{"s", i}, now)
	}
	if len(e.since) > mostEarly {
		t.Errorf("%d are waited with", len(e.since))
	}
	if !e.wait(early{"s", 1 << 40}, now.Add(time.Minute)) {
		t.Error("those that found their records keep new ones out")
	}
}

func TestRecordsAndCommandsAreMadeToFit(t *testing.T) {
	rec := recordOf("a")
	rec.Job.Spec = &messages.Spec{Image: strings.Repeat("x", 100<<10)}
	for i := range messages.MaxRefused {
		rec.Job.Refuse(messages.Refusal{Node: fmt.Sprintf("n%d", i), Code: messages.RefusePolicy, Reason: strings.Repeat("<", messages.MaxReasonLength)})
	}
	for range messages.MaxHistory {
		rec.Remember(messages.History{Event: "x", Reason: strings.Repeat("&", messages.MaxReasonLength)})
	}
	rec.Outcome = &messages.Outcome{Result: &messages.Result{Stdout: strings.Repeat("\x01", messages.MaxCapturedBytes)}}
	data, err := encodeRecord(rec)
	if err != nil || len(data) > messages.MaxMessageSize {
		t.Errorf("the record has %d bytes (%v)", len(data), err)
	}
	if len(rec.Outcome.Result.Stdout) != messages.MaxCapturedBytes || len(rec.History) != messages.MaxHistory || rec.Job.Refused[0].Reason == "" {
		t.Error("the record itself was cut")
	}
	data, err = encodeJob(rec.Job)
	if err != nil || len(data) > messages.MaxJobSize || len(rec.Job.Refused) != messages.MaxRefused {
		t.Errorf("the command has %d bytes (%v)", len(data), err)
	}
}

func TestLanesKeepTheOrderOfAKeyAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(4)
		got := map[string][]int{}
		keys := []string{"a", "b", "c", "d", "e"}
		results := make(chan struct {
			key string
			n   int
		}, 1000)
		for n := range 100 {
			for _, key := range keys {
				l.put(key, func() {
					results <- struct {
						key string
						n   int
					}{key, n}
				})
			}
		}
		l.close()
		l.close()
		l.put("a", func() { t.Error("ran after the end") })
		close(results)
		for r := range results {
			got[r.key] = append(got[r.key], r.n)
		}
		for _, key := range keys {
			if len(got[key]) != 100 {
				t.Errorf("%s: %d of 100 ran", key, len(got[key]))
			}
			for i, n := range got[key] {
				if i != n {
					t.Fatalf("%s: %d ran as number %d", key, n, i)
				}
			}
		}
	})
}
