package placer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestAJobFromIntakeRunsOnOneNode(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("linux-1", linux)
		y.submit(task("web", "sleep", "5"))
		time.Sleep(4 * time.Second)
		if r := y.record("web"); r.State != messages.StateRunning || r.Node != "linux-1" {
			t.Errorf("it is %s on %q", r.State, r.Node)
		}
		time.Sleep(2 * time.Second)
		r := y.ended("web")
		if r.State != messages.StateCompleted || r.Attempt != 1 || r.Starts != 1 || *r.Outcome.Result.ExitCode != 0 {
			t.Errorf("it is %s after attempt %d: %s", r.State, r.Attempt, story(r))
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
		if again := y.record("web"); again.State != messages.StateCompleted {
			t.Errorf("asked for later it is %s", again.State)
		}
	})
}

// The story the project is named for.
func TestAJobTheWindowsNodeRefusesRunsOnLinux(t *testing.T) {
	for _, target := range []string{"", "win-1"} {
		t.Run("target="+target, func(t *testing.T) {
			inYard(t, func(t *testing.T, y *yard) {
				y.placer("p1")
				y.worker("win-1", windows)
				job := task("web", "true")
				job.Target = target
				y.submit(job)
				time.Sleep(time.Second)
				if r := y.record("web"); r.State != messages.StatePending || !strings.Contains(r.Reason, "linux/amd64") {
					t.Errorf("with Windows alone it is %s: %s", r.State, r.Reason)
				}
				y.worker("linux-1", linux)
				r := y.ended("web")
				if r.State != messages.StateCompleted || r.Node != "linux-1" || r.Attempt != 2 || r.Starts != 1 {
					t.Errorf("it is %s on %s after attempt %d, %d starts (%s)", r.State, r.Node, r.Attempt, r.Starts, r.Reason)
				}
				if got := story(r); got != "win-1 1 placed, win-1 1 route_to_peer, linux-1 2 placed, linux-1 2 completed" {
					t.Errorf("its story: %s", got)
				}
				if len(r.Job.Refused) != 1 || r.Job.Refused[0].Code != messages.RefusePlatform || !strings.Contains(r.Job.Refused[0].Reason, "--install-wsl yes") {
					t.Errorf("it remembers %+v", r.Job.Refused)
				}
			})
		})
	}
}

func TestAJobForBothPlatformsRunsOnEither(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("win-1", windows)
		y.worker("linux-1", linux)
		on := map[string]int{}
		for i := range 40 {
			job := task(fmt.Sprintf("web-%d", i), "true")
			job.Spec.Image = "team/both:1"
			y.submit(job)
			r := y.ended(job.ID)
			on[r.Node]++
			if r.State != messages.StateCompleted || r.Attempt != 1 {
				t.Errorf("%s is %s: %s", job.ID, r.State, story(r))
			}
		}
		if on["win-1"] == 0 || on["linux-1"] == 0 {
			t.Errorf("they ran on %v", on)
		}
	})
}

func TestAJobForAnArchitectureNobodyHasWaitsAndSaysSo(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("win-1", windows)
		y.worker("linux-1", linux)
		job := task("web", "true")
		job.Spec.Image = "team/arm:1"
		y.submit(job)
		time.Sleep(time.Minute)
		if r := y.record("web"); r.State != messages.StatePending || !strings.Contains(r.Reason, "arm64") || r.Attempt > 2 {
			t.Errorf("it is %s after attempt %d: %s", r.State, r.Attempt, r.Reason)
		}
	})
}

func TestAJobWaitsUntilACapableWorkerJoins(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("linux-1", linux)
		job := task("web", "true")
		job.Requires.Labels = map[string]string{"disk": "ssd"}
		y.submit(job)
		time.Sleep(time.Hour)
		if r := y.record("web"); r.State != messages.StatePending || !strings.Contains(r.Reason, "linux-1: has no label disk") {
			t.Fatalf("it is %s: %s", r.State, r.Reason)
		}
		y.worker("linux-2", linux, func(c *worker.Config) { c.Labels = map[string]string{"disk": "ssd"} })
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Node != "linux-2" {
			t.Errorf("it is %s on %s", r.State, r.Node)
		}
	})
}

func TestJobsShareTheRoomThereIs(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("linux-1", linux)
		y.worker("linux-2", linux)
		for i := range 10 {
			job := task(fmt.Sprintf("web-%d", i), "sleep", "30")
			job.Spec.Resources.CPUMilli = 500
			y.submit(job)
		}
		time.Sleep(20 * time.Second)
		counts := map[messages.State]int{}
		for _, r := range verb[messages.JobsReply](y, messages.PlacerJobs, messages.JobsRequest{V: 1}).Jobs {
			counts[r.State]++
		}
		if counts[messages.StateRunning] != 4 || counts[messages.StatePending] != 6 {
			t.Errorf("of ten jobs, four of which fit: %v", counts)
		}
		time.Sleep(10 * time.Minute)
		for i := range 10 {
			if r := y.ended(fmt.Sprintf("web-%d", i)); r.State != messages.StateCompleted || r.Starts != 1 {
				t.Errorf("%s is %s after %d starts: %s", r.Job.ID, r.State, r.Starts, story(r))
			}
		}
	})
}

func TestADirectCommandIsAdopted(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("linux-1", linux)
		if o := y.direct("linux-1", task("long", "sleep", "10")); o.Status != messages.StatusAccepted {
			t.Fatalf("answered %s", o.Status)
		}
		time.Sleep(time.Second)
		if r := y.record("long"); r.State != messages.StateRunning || r.Node != "linux-1" || r.Attempt != 1 {
			t.Errorf("it is %s", r.State)
		}
		y.direct("linux-1", task("short", "true"))
		time.Sleep(10 * time.Second)
		for _, job := range []string{"short", "long"} {
			if r := y.ended(job); r.State != messages.StateCompleted || r.Fingerprint == "" {
				t.Errorf("%s is %s", job, r.State)
			}
		}
	})
}

func TestADirectCommandThatIsRefusedGoesToAPeer(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("win-1", windows)
		y.worker("linux-1", linux)
		o := y.direct("win-1", task("web", "true"))
		if o.Status != messages.StatusRouteToPeer || !slices.Equal(o.Route.Peers, []string{"linux-1"}) {
			t.Errorf("answered %s %+v", o.Status, o.Route)
		}
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Node != "linux-1" || r.Attempt != 2 {
			t.Errorf("it is %s on %s: %s", r.State, r.Node, story(r))
		}
	})
}

func TestCancel(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("linux-1", linux)
		waits := task("waits", "true")
		waits.Requires.Labels = map[string]string{"disk": "ssd"}
		y.submit(waits)
		y.submit(task("runs", "sleep", "3600"))
		y.submit(task("over", "true"))
		time.Sleep(3 * time.Second)
		for _, job := range []string{"waits", "runs", "over", "unknown"} {
			y.cancel(job)
		}
		time.Sleep(30 * time.Second)
		if r := y.ended("waits"); r.State != messages.StateCancelled || r.Reason != "enough" {
			t.Errorf("what waited is %s (%s)", r.State, r.Reason)
		}
		if r := y.ended("runs"); r.State != messages.StateCancelled || r.Reason != "enough" || r.Outcome.Status != messages.StatusRevoked {
			t.Errorf("what ran is %s (%s), %s", r.State, r.Reason, story(r))
		}
		if r := y.ended("over"); r.State != messages.StateCompleted {
			t.Errorf("what was over is %s", r.State)
		}
		if e := y.rejection("unknown"); e.Code != messages.CodeNotFound {
			t.Errorf("what nobody knows: %v", e)
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

func TestTheSameIdAgain(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("linux-1", linux)
		y.submit(task("web", "sleep", "5"))
		y.submit(task("web", "sleep", "5"))
		y.submit(task("web", "false"))
		if e := y.rejection("web"); e.Code != messages.CodeIDConflict || e.Field != "id" {
			t.Errorf("another job of that id: %v", e)
		}
		time.Sleep(10 * time.Second)
		first := y.ended("web")
		y.submit(task("web", "sleep", "5"))
		synctest.Wait()
		y.mu.Lock()
		defer y.mu.Unlock()
		if said := y.done["web"]; len(said) != 2 || said[1].State != first.State || said[1].Starts != 1 {
			t.Errorf("asked again after its end, the last word was said %d times", len(said))
		}
	})
}

func TestWhatIsWrongWithAJobIsAnswered(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("linux-1", linux)
		old := task("old", "true")
		old.Created = time.Now().Add(-25 * time.Hour)
		oldJSON, _ := messages.Encode(old)
		for id, c := range map[string]struct {
			body  string
			code  messages.Code
			field string
		}{
			"a":   {"", messages.CodeMalformed, ""},
			"b":   {"{", messages.CodeMalformed, ""},
			"c":   {`{"v":2}`, messages.CodeUnsupportedVersion, "v"},
			"d":   {`{"v":1,"id":"other","op":"run","spec":{"image":"x"}}`, messages.CodeInvalidArgument, "id"},
			"e":   {`{"v":1,"id":"e","op":"run"}`, messages.CodeInvalidArgument, "spec"},
			"f":   {`{"v":1,"id":"f","op":"fly"}`, messages.CodeInvalidArgument, "op"},
			"g":   {`{"v":1,"id":"g","op":"run","spec":{"image":7}}`, messages.CodeMalformed, "spec.image"},
			"i":   {`{"v":1,"id":"i","op":"revoke","container":"web-rep-0","args":{"attempt":1}}`, messages.CodePermissionDenied, "op"},
			"j":   {`{"v":1,"id":"j","op":"run","spec":{"image":"x","hostname":"` + strings.Repeat("x", 200<<10) + `"}}`, messages.CodeTooLarge, ""},
			"old": {string(oldJSON), messages.CodeExpired, "created"},
		} {
			y.append(root.Job(id), []byte(c.body))
			if e := y.rejection(id); e.Code != c.code || e.Field != c.field || e.Message == "" {
				t.Errorf("%s: %v (field %q), want %s in %q", id, e, e.Field, c.code, c.field)
			}
		}
		y.append(root.Cancel("z"), []byte(`{"v":9}`))
		if e := y.rejection("z"); e.Code != messages.CodeUnsupportedVersion {
			t.Errorf("a cancel: %v", e)
		}
		for _, garbage := range []string{"", "{", `{"v":1,"job":"x","node":"linux-1","status":"completed"}`} {
			y.append(root.Outcome("stranger", "web"), []byte(garbage))
		}
		y.submit(task("web", "true"))
		if r := y.ended("web"); r.State != messages.StateCompleted {
			t.Errorf("after all that a job is %s", r.State)
		}
	})
}
