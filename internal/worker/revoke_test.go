package worker_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func TestARevokeStopsRemovesAndFences(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(placed(task("web", "sleep", "3600"), 2))
		synctest.Wait()
		o := r.send(revoke("web", 2))
		if o.Status != messages.StatusRevoked || o.Attempt != 2 || o.Result == nil || !*o.Result.Stopped {
			t.Errorf("answered %+v", o)
		}
		if got := r.containers(); got != "" {
			t.Errorf("when it is confirmed there is %q", got)
		}
		if got := r.said("web"); got != "2.2 revoked" {
			t.Errorf("said: %s", got)
		}
		if again := r.send(revoke("web", 2)); again.Status != messages.StatusRevoked || again.Seq != o.Seq || r.said("web") != "2.2 revoked" {
			t.Errorf("a repeat answers %s as %d; said: %s", again.Status, again.Seq, r.said("web"))
		}
		if late := r.send(placed(task("web", "sleep", "3600"), 2)); late.Status != messages.StatusRevoked {
			t.Errorf("its command comes late and is answered %s", late.Status)
		}
		if late := r.send(placed(task("web", "sleep", "3600"), 1)); late.Status != messages.StatusRejected || late.Error.Code != messages.CodeAborted {
			t.Errorf("an older one is answered %s", late.Status)
		}
		if o := r.send(placed(task("web", "true"), 3)); o.Status != messages.StatusAccepted {
			t.Errorf("the next attempt is answered %s %v", o.Status, o.Error)
		}
	})
}

func TestARevokeOfAJobNeverHeardOfLeavesATombstone(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		if o := r.send(revoke("web", 5)); o.Status != messages.StatusRevoked || *o.Result.Stopped {
			t.Errorf("answered %s %+v", o.Status, o.Result)
		}
		r.restart()
		for attempt := range uint64(5) {
			if o := r.send(placed(task("web", "true"), attempt+1)); o.Status == messages.StatusAccepted {
				t.Errorf("attempt %d is accepted", attempt+1)
			}
		}
		if r.faulty.creates != 0 {
			t.Error("a fenced attempt has run")
		}
	})
}

func TestARevokeOfWhatHasEnded(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := placed(task("web", "true"), 1)
		job.Retain = messages.Duration(time.Hour)
		r.send(job)
		synctest.Wait()
		if o := r.send(revoke("web", 1)); o.Status != messages.StatusRevoked || o.Seq != 3 {
			t.Errorf("answered %s as %d", o.Status, o.Seq)
		}
		if got := r.containers(); got != "" {
			t.Errorf("its container is %q", got)
		}
	})
}

// A revoke is not confirmed while nobody can tell what runs.
func TestARevokeIsNotConfirmedBlindly(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.faulty.setAway(true)
		if o := r.send(revoke("web", 1)); o.Status != messages.StatusRejected || !o.Error.Retryable {
			t.Errorf("answered %s %v", o.Status, o.Error)
		}
	})
}

// brokenJournal is a journal on a disk that is full at times.
type brokenJournal struct {
	*memjournal.Journal
	full bool
}

func (b *brokenJournal) Write(a journal.Attempt, publish ...messages.Outcome) error {
	if b.full {
		return errDisk
	}
	return b.Journal.Write(a, publish...)
}

// Nothing is accepted that is not in the journal, and its room is given back;
// an end that cannot be written is written later.
func TestAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		disk := &brokenJournal{Journal: r.journal}
		r.cfg.Journal = disk
		r.start()
		r.send(placed(task("early", "sleep", "5"), 1))
		synctest.Wait()
		disk.full = true
		job := placed(task("late", "true"), 1)
		job.Spec.Resources.CPUMilli = 1000
		if o := r.send(job); o.Status != messages.StatusRejected || o.Error.Code != messages.CodeUnavailable || !o.Error.Retryable {
			t.Errorf("answered %s %v", o.Status, o.Error)
		}
		time.Sleep(time.Minute)
		if got := r.said("early"); got != "" {
			t.Errorf("said what is not in the journal: %s", got)
		}
		if got := r.containers(); got != "early-rep-0 exited" {
			t.Errorf("an end that is not written: %q", got)
		}
		// A worker that stops now leaves the container to the next one.
		r.stop()
		if got := r.containers(); got != "early-rep-0 exited" {
			t.Errorf("after it has stopped: %q", got)
		}
		disk.full = false
		r.journal.Reopen()
		r.start()
		if got := r.said("early"); got != "1.2 completed" {
			t.Errorf("said: %s", got)
		}
		if o := r.send(job); o.Status != messages.StatusAccepted {
			t.Errorf("answered %s %+v", o.Status, o.Route)
		}
	})
}

// Whatever an exec prints, its outcome is one that placers read.
func TestOutputOfEveryKindFitsIntoAnOutcome(t *testing.T) {
	for name, output := range map[string][]byte{
		"text":    bytes.Repeat([]byte("hello\n"), messages.MaxCapturedBytes/6),
		"binary":  bytes.Repeat([]byte{0xff, 'A'}, messages.MaxCapturedBytes/2),
		"control": bytes.Repeat([]byte{1}, messages.MaxCapturedBytes),
		"quotes":  bytes.Repeat([]byte{'"', '<'}, messages.MaxCapturedBytes/2),
		"runes":   []byte(strings.Repeat("日", messages.MaxCapturedBytes/3)),
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				r.send(placed(task("web", "sleep", "60"), 1))
				synctest.Wait()
				r.faulty.exec = &runtime.ExecResult{Stdout: output, Stderr: output}
				o := r.send(messages.Job{V: 1, ID: "x", Op: messages.OpExec, Container: "web-rep-0", Args: messages.Args{Cmd: []string{"x"}}}, messages.HeaderWait, "9s")
				data, err := messages.Encode(o)
				if o.Status != messages.StatusCompleted || err != nil || len(data) > messages.MaxMessageSize-messages.MaxJobSize {
					t.Errorf("%s with %d bytes (%v)", o.Status, len(data), err)
				}
				if got := r.said("x"); got != "1.1 accepted, 1.2 completed" {
					t.Errorf("said: %s", got)
				}
				if len(o.Result.Stdout) < messages.MaxCapturedBytes/16 {
					t.Errorf("only %d bytes are left", len(o.Result.Stdout))
				}
			})
		})
	}
}
