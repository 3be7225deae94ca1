package placement

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func adopted(status messages.Status, seq uint64) Reported {
	body := runJob()
	return Reported{outcome(status, func(o *messages.Outcome) {
		o.Attempt, o.Seq, o.JobBody, o.Fingerprint = 1, seq, &body, fingerprint
	})}
}

func TestAdoptedJobIsLikeOneFromIntake(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	r, _ := next(t, nil, adopted("accepted", 1), peers, epoch)
	if r.State != messages.StateRunning || r.Node != "a" || r.Attempt != 1 || r.Starts != 1 || r.Fingerprint != fingerprint {
		t.Fatalf("adopted as %s", text(t, r))
	}
	if r.Outcome.JobBody != nil {
		t.Error("the job is in the record twice")
	}
	if got, effects := next(t, r, Submitted{Job: runJob(), Fingerprint: fingerprint}, peers, epoch); got != r || len(effects) != 0 {
		t.Errorf("the same job from intake: %s", show(effects))
	}
	again, effects := next(t, r, adopted("accepted", 1), peers, epoch)
	if again != r || len(effects) != 0 {
		t.Errorf("adopted again: %s", show(effects))
	}
	r, effects = next(t, r, Reported{outcome("completed", of("a", 1, 2))}, peers, epoch)
	if r.State != messages.StateCompleted || show(effects) != "finish delete" {
		t.Errorf("it is %s: %s", r.State, show(effects))
	}
	if got, effects := next(t, r, adopted("accepted", 1), peers, epoch); got != r || len(effects) != 0 {
		t.Errorf("a late repeat of the adoption: %s", show(effects))
	}
}

func TestARefusedDirectCommandIsResentToACapablePeer(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "windows/amd64"), node("b", "linux/amd64"))
	ev := adopted("route_to_peer", 1)
	refusing(messages.RefusePlatform, "linux/amd64")(&ev.Outcome)
	r, effects := next(t, nil, ev, peers, epoch)
	if r.Node != "b" || r.Attempt != 2 || !strings.HasPrefix(show(effects), "command(b 2)") || !Refused(&r.Job, "a") {
		t.Errorf("it is %s: %s", text(t, r), show(effects))
	}
}

func TestAnOldJobWithoutARecordIsExpired(t *testing.T) {
	for age, want := range map[time.Duration]string{MaxAge: "command(a 1) tell(placed)", MaxAge + 1: "reject(expired)"} {
		job := runJob()
		job.Created = epoch.Add(-age)
		_, effects := next(t, nil, Submitted{Job: job, Fingerprint: fingerprint}, fleetOf(t, epoch, node("a", "linux/amd64")), epoch)
		if show(effects) != want {
			t.Errorf("%v old: %s, want %s", age, show(effects), want)
		}
	}
}

func TestWhatASchedulerMayNotSayIsNotKept(t *testing.T) {
	job := runJob()
	job.Attempt = 77
	job.Refuse(messages.Refusal{Node: "a", Attempt: 1, Code: messages.RefusePolicy, At: epoch})
	r := submit(t, job, fleetOf(t, epoch, node("a", "linux/amd64")), epoch)
	if r.Attempt != 1 || r.Job.Attempt != 0 || len(r.Job.Refused) != 0 || r.Node != "a" {
		t.Errorf("it began as %s", text(t, r))
	}
}

func TestAStaleSequenceCountsForNothing(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	r, _ := next(t, recordIn(messages.StateRunning), Reported{outcome("running", of("a", 2, 5))}, peers, epoch)
	for seq := uint64(0); seq <= 5; seq++ {
		if got, effects := next(t, r, Reported{outcome("completed", of("a", 2, seq))}, peers, epoch); got != r || len(effects) != 0 {
			t.Errorf("sequence %d: %s %s", seq, got.State, show(effects))
		}
	}
	if got, _ := next(t, r, Reported{outcome("completed", of("a", 2, 6))}, peers, epoch); got.State != messages.StateCompleted {
		t.Errorf("sequence 6: %s", got.State)
	}
}

// A late outcome is noted once, whatever the bus repeats.
func TestALateOutcomeIsNotedOnce(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	late := Reported{outcome("completed", of("old", 1, 2))}
	r, _ := next(t, recordIn(messages.StateRunning), late, peers, epoch)
	if got, _ := next(t, r, late, peers, epoch); got != r {
		t.Errorf("noted twice: %s", text(t, got))
	}
	if last := r.History[len(r.History)-1]; last.Event != "late_completed" || last.Node != "old" || last.Attempt != 1 {
		t.Errorf("noted as %+v", last)
	}
}

// A revoke answered by a journal that has lost the attempt counts, although it
// begins its sequence anew.
func TestARevokeAnsweredByANewJournalEndsTheCancel(t *testing.T) {
	r := recordIn(messages.StateCancelling)
	r.Outcome.Seq, r.Reason = 9, "enough"
	r, effects := next(t, r, Reported{outcome("revoked", of("a", 2, 1))}, fleetOf(t, epoch), epoch)
	if r.State != messages.StateCancelled || r.Reason != "enough" || show(effects) != "finish delete tell(cancelled)" {
		t.Errorf("it is %s (%s): %s", r.State, r.Reason, show(effects))
	}
}

func TestDueIsWhatTheRecordAsksFor(t *testing.T) {
	for state, want := range map[messages.State]string{
		"pending": "", "assigned": "command(a 2)", "running": "", "cancelling": "revoke(a 2)",
		"completed": "finish", "failed": "finish", "interrupted": "finish", "lost": "finish", "dead": "finish", "cancelled": "finish",
	} {
		r := recordIn(state)
		alone := want
		if want == "finish" {
			alone = "finish delete"
		}
		if got := show(Due(r)); got != alone {
			t.Errorf("%s: %q, want %q", state, got, alone)
		}
		if first, second := show(Due(r)), show(Due(r)); first != second {
			t.Errorf("%s: first %s, then %s", state, first, second)
		}
		r.Fences = []messages.Fence{{Node: "z", Attempt: 1}}
		fenced := "revoke(z 1)"
		if want != "" { // a record with a fence does not go away
			fenced += " " + want
		}
		if got := show(Due(r)); got != fenced {
			t.Errorf("%s with a fence: %q, want %q", state, got, fenced)
		}
	}
}
