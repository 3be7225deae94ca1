package placer_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// words is how often, and as what last, a job's last word was said.
func (y *yard) words(job string) (n int, last messages.Record) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if n = len(y.done[job]); n > 0 {
		last = y.done[job][n-1]
	}
	return n, last
}

func TestADeadJobIsListedAndRetried(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		job := task("web", "false")
		job.Policy = messages.Policy{MaxAttempts: 2, RetryExit: true}
		y.submit(job)
		y.submit(task("fine", "true"))
		y.holds("it is dead", time.Minute, y.said("web"))
		list := func(s messages.State) (ids string) {
			for _, r := range verb[messages.JobsReply](y, messages.PlacerJobs, messages.JobsRequest{V: 1, State: s}).Jobs {
				if r.Job.Spec != nil || len(r.History) == 0 {
					t.Errorf("%s: spec %v, history %v", r.Job.ID, r.Job.Spec, r.History)
				}
				ids += " " + r.Job.ID
			}
			return ids
		}
		if dead, completed, failed := list(messages.StateDead), list(messages.StateCompleted), list(messages.StateFailed); dead != " web" || completed != " fine" || failed != "" {
			t.Errorf("dead:%s; completed:%s; failed:%s", dead, completed, failed)
		}
		r := verb[messages.Record](y, messages.PlacerRetry, messages.JobRequest{V: 1, ID: "web", Reason: "again"})
		if r.State.Ended() || r.Retries != 1 {
			t.Errorf("after the retry it is %s, life %d", r.State, r.Retries)
		}
		if dead := list(messages.StateDead); dead != "" {
			t.Errorf("while it is retried, dead:%s", dead)
		}
		y.holds("it is dead again", time.Minute, func() bool { n, _ := y.words("web"); return n == 2 })
		y.mu.Lock()
		letters := len(y.dead["web"])
		y.mu.Unlock()
		if _, last := y.words("web"); last.State != messages.StateDead || last.Retries != 1 || letters != 2 {
			t.Errorf("it is %s in life %d, with %d dead letters", last.State, last.Retries, letters)
		}
		for id, want := range map[string]string{"fine": "failed_precondition", "unknown": "not_found"} {
			if e := y.refused(messages.PlacerRetry, messages.JobRequest{V: 1, ID: id}); !strings.HasPrefix(e, want) {
				t.Errorf("retry of %s: %s", id, e)
			}
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

// A dead letter stays when a later life of the job ends otherwise; the job is not
// listed as dead any more, and does not take another's place on the page.
func TestAJobThatDiedOnceIsNotListedAsDead(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		for _, id := range []string{"a", "b", "c"} {
			rec := messages.Record{V: 1, Job: task(id, "true"), State: messages.StateDead, Attempt: 5, Starts: 5, Created: time.Now()}
			y.append(root.Dead(id), encoded(t, rec))
			y.append(root.Done(id), encoded(t, rec))
		}
		for _, id := range []string{"a", "b"} {
			verb[messages.Record](y, messages.PlacerRetry, messages.JobRequest{V: 1, ID: id})
			y.holds("it is done", time.Minute, func() bool { return y.record(id).State == messages.StateCompleted })
		}
		reply := verb[messages.JobsReply](y, messages.PlacerJobs, messages.JobsRequest{V: 1, State: messages.StateDead, Page: messages.Page{Limit: 1}})
		if len(reply.Jobs) != 1 || reply.Jobs[0].Job.ID != "c" || reply.Next != "" {
			t.Errorf("dead are %v, next %q", reply.Jobs, reply.Next)
		}
	})
}

// A dead letter is kept longer than the last word on the job.
func TestADeadLetterIsEnoughForARetry(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		rec := messages.Record{V: 1, Job: task("web", "true"), State: messages.StateDead, Attempt: 7, Starts: 5, Created: time.Now()}
		y.append(root.Dead("web"), encoded(t, rec))
		if r := y.record("web"); r.State != messages.StateDead {
			t.Errorf("it is %s", r.State)
		}
		verb[messages.Record](y, messages.PlacerRetry, messages.JobRequest{V: 1, ID: "web"})
		y.holds("it is done", time.Minute, y.said("web"))
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 8 || r.Starts != 1 {
			t.Errorf("it is %s after attempt %d, %d starts", r.State, r.Attempt, r.Starts)
		}
	})
}

// A retry that a placer has not heard of is not undone when it ends the life
// before.
func TestTheEndOfALifeLeavesTheNextOneAlone(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c, jobs := &cut{}, y.client.Bucket(root.Stream(messages.BucketJobs))
		y.placer("p1", c.with)
		rec := messages.Record{V: 1, Job: task("web", "true"), State: messages.StateLost, Node: "linux-9", Attempt: 1, Starts: 1, Created: time.Now(),
			Fences: []messages.Fence{{Node: "linux-9", Attempt: 1}}}
		first, err := jobs.Create(t.Context(), "web", encoded(t, rec))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.set("watch", true)
		rec.State, rec.Retries, rec.Node = messages.StatePending, 1, "" // by another placer
		if _, err := jobs.Update(t.Context(), "web", encoded(t, rec), first); err != nil {
			t.Fatal(err)
		}
		y.append(root.Outcome("linux-9", "web"), encoded(t, messages.Outcome{
			V: 1, Job: "web", Op: messages.OpRevoke, Node: "linux-9", Attempt: 1, Seq: 2, Status: messages.StatusRevoked, At: time.Now(),
		}))
		time.Sleep(5 * time.Second)
		if r := y.record("web"); r.State != messages.StatePending || r.Retries != 1 {
			t.Errorf("it is %s in life %d", r.State, r.Retries)
		}
		y.placer("p2")
		y.box("linux-1")
		y.holds("it is done", time.Minute, func() bool { n, _ := y.words("web"); return n == 2 })
		if _, last := y.words("web"); last.State != messages.StateCompleted || last.Retries != 1 {
			t.Errorf("it is %s in life %d", last.State, last.Retries)
		}
	})
}

// What one placer hands over while another one says that the job has ended is
// revoked.
func TestWhatIsHandedOverAfterTheEndIsRevoked(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c, jobs := &cut{}, y.client.Bucket(root.Stream(messages.BucketJobs))
		y.placer("p1", c.with)
		one := y.box("linux-1")
		job := task("web", "sleep", "3600")
		rec := messages.Record{V: 1, Job: job, State: messages.StateRunning, Node: "linux-9", Attempt: 1, Starts: 1, Created: time.Now()}
		first, err := jobs.Create(t.Context(), "web", encoded(t, rec))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.set("watch", true)
		rec.State, rec.Attempt, rec.Node = messages.StateAssigned, 2, "linux-1" // by another placer, which sends the command
		if _, err := jobs.Update(t.Context(), "web", encoded(t, rec), first); err != nil {
			t.Fatal(err)
		}
		job.Attempt = 2
		if o := y.direct("linux-1", job); o.Status != messages.StatusAccepted {
			t.Fatalf("answered %s", o.Status)
		}
		y.holds("it runs", time.Minute, func() bool { return one.runs("web") == 1 })
		y.append(root.Outcome("linux-9", "web"), encoded(t, messages.Outcome{
			V: 1, Job: "web", Op: messages.OpRun, Node: "linux-9", Attempt: 1, Seq: 2, Status: messages.StatusCompleted, At: time.Now(),
		}))
		y.holds("it is revoked, and nothing is left", time.Minute, func() bool { return one.runs("web") == 0 && len(y.left()) == 0 })
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 1 {
			t.Errorf("it is %s after attempt %d", r.State, r.Attempt)
		}
	})
}

func TestAVerbCancelsInEveryState(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		waits := task("waits", "true")
		y.submit(waits)
		time.Sleep(time.Second)
		verb[messages.Record](y, messages.PlacerCancel, messages.JobRequest{V: 1, ID: "waits", Reason: "enough"})
		if r := y.ended("waits"); r.State != messages.StateCancelled {
			t.Errorf("what waited is %s", r.State)
		}
		one := y.box("linux-1")
		y.submit(service("runs"))
		y.holds("it runs", time.Minute, y.is("runs", messages.StateRunning, "linux-1"))
		verb[messages.Record](y, messages.PlacerCancel, messages.JobRequest{V: 1, ID: "runs"})
		verb[messages.Record](y, messages.PlacerCancel, messages.JobRequest{V: 1, ID: "runs"})
		y.holds("it has ended", time.Minute, y.said("runs"))
		if one.runs("runs") != 0 {
			t.Error("it still runs")
		}
		if r := verb[messages.Record](y, messages.PlacerCancel, messages.JobRequest{V: 1, ID: "runs"}); r.State != messages.StateCancelled {
			t.Errorf("again: %s", r.State)
		}
		if e := y.refused(messages.PlacerCancel, messages.JobRequest{V: 1, ID: "unknown"}); !strings.HasPrefix(e, "not_found") {
			t.Errorf("an unknown one: %s", e)
		}
	})
}
