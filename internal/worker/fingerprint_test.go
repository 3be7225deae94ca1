package worker_test

import (
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// attemptReply is what the verb attempt answers.
type attemptReply messages.Outcome

func (*attemptReply) Validate() error { return nil }

func (r *rig) adoptable(job string) (body *messages.Job, fingerprint string) {
	r.t.Helper()
	o, err := ask[attemptReply](r, messages.VerbAttempt, `{"v":1,"job":"`+job+`"}`)
	if err != nil {
		r.t.Fatal(err)
	}
	return o.JobBody, o.Fingerprint
}

func fingerprint(t *testing.T, job messages.Job) string {
	t.Helper()
	data, err := messages.Encode(job)
	if err != nil {
		t.Fatal(err)
	}
	f, err := messages.Fingerprint(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A placer whose store was lost adopts what runs from this answer, and tells by
// the fingerprint whether a job that is submitted again is that one.
func TestAPlacedAttemptKeepsTheFingerprintOfItsJob(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		said := strings.Repeat("0123456789abcdef", 4)
		job := placed(task("web", "sleep", "3600"), 2)
		if o := r.send(job, "Shunt-Fingerprint", said); o.Status != messages.StatusAccepted || o.Fingerprint != "" {
			t.Fatalf("answered %+v", o)
		}
		for range 2 {
			if body, got := r.adoptable("web"); got != said || body == nil || body.Attempt != 0 {
				t.Errorf("adopted, it would be %+v with the fingerprint %q", body, got)
			}
			r.restart()
		}
		if o := r.send(task("web", "sleep", "3600")); o.Status != messages.StatusRejected || o.Error.Code != messages.CodeIDConflict {
			t.Errorf("a direct command of another fingerprint is answered %s %v", o.Status, o.Error)
		}
	})
}

// Without a word from the placer the job is known as it came.
func TestAPlacedAttemptWithoutAFingerprint(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := task("web", "sleep", "3600")
		sent := placed(job, 2)
		sent.Refused, sent.RefusedDropped = []messages.Refusal{{Node: "win-1", Attempt: 1, Code: messages.RefusePlatform, Reason: "no"}}, 3
		if o := r.send(sent); o.Status != messages.StatusAccepted {
			t.Fatalf("answered %s %v", o.Status, o.Error)
		}
		if _, got := r.adoptable("web"); got != fingerprint(t, job) {
			t.Errorf("the fingerprint is %q", got)
		}
		if o := r.send(job); o.Status != messages.StatusAccepted || o.Attempt != 2 {
			t.Errorf("the same job, given directly, is answered %s %v, attempt %d", o.Status, o.Error, o.Attempt)
		}
		if o := r.send(task("web", "true")); o.Status != messages.StatusRejected || o.Error.Code != messages.CodeIDConflict {
			t.Errorf("another one is answered %s %v", o.Status, o.Error)
		}
	})
}

func TestABadFingerprintIsRejected(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		for _, bad := range []string{"x", strings.Repeat("ab", 31), strings.Repeat("AB", 32), strings.Repeat("zz", 32)} {
			if o := r.send(placed(task("web", "true"), 1), "Shunt-Fingerprint", bad); o.Status != messages.StatusRejected || o.Error.Field != "Shunt-Fingerprint" {
				t.Errorf("%s: %s %v", bad, o.Status, o.Error)
			}
		}
		if r.faulty.creates != 0 {
			t.Error("it was carried out")
		}
	})
}

// A direct command is attempt 1, which a tombstone fences like every other.
func TestADirectCommandForATombstone(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(revoke("never-heard", 1))
		r.send(revoke("never-heard-later", 5))
		job := task("known", "sleep", "3600")
		r.send(placed(job, 1))
		r.send(revoke("known", 1))
		for range 2 {
			for _, id := range []string{"never-heard", "never-heard-later"} {
				if o := r.send(task(id, "true")); o.Status != messages.StatusRejected || o.Error.Code != messages.CodeAborted || o.Error.Retryable ||
					!strings.Contains(o.Error.Message, "fenced") {
					t.Errorf("%s is answered %s %v", id, o.Status, o.Error)
				}
			}
			if o := r.send(job); o.Status != messages.StatusRevoked {
				t.Errorf("a job that was revoked is answered %s %v", o.Status, o.Error)
			}
			if o := r.send(task("known", "true")); o.Status != messages.StatusRejected || o.Error.Code != messages.CodeIDConflict {
				t.Errorf("another job under its id is answered %s %v", o.Status, o.Error)
			}
			r.restart()
		}
		if r.containers() != "" {
			t.Errorf("there is %s", r.containers())
		}
	})
}
