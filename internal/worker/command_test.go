package worker_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/policy"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestATaskRunsAndIsReported(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		o := r.send(placed(task("web", "sleep", "5"), 3))
		if o.Status != messages.StatusAccepted || o.Attempt != 3 || o.Seq != 1 || o.JobBody != nil {
			t.Errorf("answered %+v", o)
		}
		time.Sleep(6 * time.Second)
		if got := r.said("web"); got != "3.2 completed" { // a placer has the reply
			t.Errorf("said: %s", got)
		}
		done := r.last("web")
		if *done.Result.ExitCode != 0 || done.Result.ExitReason != messages.ExitExited || done.Result.Container != "web-rep-0" || done.Result.Runtime != "primary" {
			t.Errorf("the result is %+v", done.Result)
		}
		if got := r.containers(); got != "" {
			t.Errorf("left behind: %s", got)
		}
	})
}

func TestADirectCommandSaysWhatPlacersNeedToAdoptIt(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := task("web", "exit", "3")
		o := r.send(job)
		if o.Attempt != 1 || o.JobBody == nil || o.JobBody.ID != "web" || o.JobBody.Attempt != 0 || len(o.Fingerprint) != 64 {
			t.Errorf("answered %+v", o)
		}
		if got := r.said("web"); got != "1.1 accepted, 1.2 failed" {
			t.Errorf("said: %s", got)
		}
		if done := r.last("web"); *done.Result.ExitCode != 3 || done.JobBody != nil {
			t.Errorf("ended as %+v", done)
		}
	})
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*messages.Job)
		code   messages.RefuseCode
		reason string
	}{
		"the image's platform": {func(j *messages.Job) { j.Spec.Image = "team/win:1" }, messages.RefusePlatform, "windows(10.0.20348)/amd64"},
		"the spec's platform":  {func(j *messages.Job) { j.Spec.Platform = &messages.Platform{OS: messages.Linux, Arch: "arm64"} }, messages.RefusePlatform, "arm64"},
		"a label":              {func(j *messages.Job) { j.Requires.Labels = map[string]string{"disk": "ssd"} }, messages.RefuseLabels, "disk"},
		"another label":        {func(j *messages.Job) { j.Requires.Labels = map[string]string{"zone": "b"} }, messages.RefuseLabels, "zone is a (wanted: b)"},
		"room":                 {func(j *messages.Job) { j.Spec.Resources.CPUMilli = 1001 }, messages.RefuseCapacity, "free are 1000"},
		"a gpu":                {func(j *messages.Job) { j.Spec.Resources.GPU = 1 }, messages.RefuseCapacity, "1 GPUs"},
		"privilege":            {func(j *messages.Job) { j.Spec.Privileged = true }, messages.RefusePolicy, "privileged"},
		"a path of the node": {func(j *messages.Job) {
			j.Spec.Mounts = []messages.Mount{{Type: messages.MountBind, Source: "/srv/private", Target: "/m"}}
		}, messages.RefusePolicy, "spec.mounts[0].source: this node's policy does not allow /srv/private (rw); it allows /srv/shared (ro)"},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				job := task("web", "true")
				c.change(&job)
				o := r.send(job)
				if o.Status != messages.StatusRouteToPeer || o.Route.Code != c.code || !strings.Contains(o.Route.Reason, c.reason) || o.JobBody == nil {
					t.Errorf("answered %s %+v", o.Status, o.Route)
				}
				if got := r.said("web"); got != "1.1 route_to_peer" {
					t.Errorf("said: %s", got)
				}
				if again := r.send(job); again.Status != o.Status || again.Seq != o.Seq {
					t.Errorf("sent again, it answered %s as %d", again.Status, again.Seq)
				}
				if got := r.said("web"); got != "1.1 route_to_peer" {
					t.Errorf("after the repeat it has said: %s", got)
				}
			}, func(c *worker.Config) {
				c.Labels = map[string]string{"zone": "a"}
				c.Policy = policy.Default()
				c.Policy.Bind = []policy.Path{{Path: "/srv/shared", Access: policy.ReadOnly}}
			})
		})
	}
}

func TestWhatIsNotLimitedIsGiven(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := task("web", "true")
		job.Spec.Resources = messages.Resources{CPUMilli: 64000, Memory: 1 << 40, PIDs: 9}
		if o := r.send(job); o.Status != messages.StatusAccepted {
			t.Errorf("answered %s %+v", o.Status, o.Route)
		}
	}, func(c *worker.Config) { c.Total = messages.Room{} })
}

// Jobs that come at once share the room that there is.
func TestJobsAtOnceAreNotAllAdmittedIntoTheSameRoom(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		answers := make(chan messages.Status, 20)
		for i := range cap(answers) {
			go func() {
				job := task("web-"+string(rune('a'+i)), "sleep", "60")
				job.Spec.Resources.CPUMilli = 300
				answers <- r.send(job).Status
			}()
		}
		got := map[messages.Status]int{}
		for range cap(answers) {
			got[<-answers]++
		}
		if got[messages.StatusAccepted] != 3 || got[messages.StatusRouteToPeer] != 17 {
			t.Errorf("of 20 jobs with 300 of 1000 each: %v", got)
		}
		time.Sleep(time.Second)
		if free := r.lastBeat().Free.CPUMilli; free != 100 {
			t.Errorf("the heartbeat says %d are free", free)
		}
		time.Sleep(time.Minute)
		if free := r.lastBeat().Free; free != r.cfg.Total {
			t.Errorf("after their end %+v are free", free)
		}
	})
}

func TestARepeatGetsTheSameAnswerAndOneContainer(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := task("web", "sleep", "5")
		answers := make(chan messages.Outcome, 8)
		for range cap(answers) {
			go func() { answers <- r.send(job) }()
		}
		for range cap(answers) {
			if o := <-answers; o.Status != messages.StatusAccepted || o.Attempt != 1 || o.Seq != 1 {
				t.Errorf("answered %s, %d.%d", o.Status, o.Attempt, o.Seq)
			}
		}
		time.Sleep(6 * time.Second)
		if o := r.send(job); o.Status != messages.StatusCompleted {
			t.Errorf("after its end it answers %s", o.Status)
		}
		if got := r.said("web"); got != "1.1 accepted, 1.2 completed" || r.faulty.creates != 1 {
			t.Errorf("%d containers; said: %s", r.faulty.creates, got)
		}
	})
}

func TestShuntWait(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		begun := time.Now()
		if o := r.send(task("a", "sleep", "5"), messages.HeaderWait, "30s"); o.Status != messages.StatusCompleted || time.Since(begun) != 5*time.Second {
			t.Errorf("after %v: %s", time.Since(begun), o.Status)
		}
		begun = time.Now()
		if o := r.send(task("b", "sleep", "60"), messages.HeaderWait, "30s"); o.Status != messages.StatusAccepted || time.Since(begun) != 30*time.Second {
			t.Errorf("after %v: %s", time.Since(begun), o.Status)
		}
		service := messages.Job{V: 1, ID: "c", Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}}
		if o := r.send(service, messages.HeaderWait, "30s"); o.Status != messages.StatusRunning || o.Result.State != "running" {
			t.Errorf("a service answers %s %+v", o.Status, o.Result)
		}
		refused := task("d", "true")
		refused.Spec.Image = "team/win:1"
		if o := r.send(refused, messages.HeaderWait, "30s"); o.Status != messages.StatusRouteToPeer {
			t.Errorf("a refusal waits: %s", o.Status)
		}
		if o := r.send(task("e", "true"), messages.HeaderWait, "1h"); o.Status != messages.StatusCompleted {
			t.Errorf("the longest wait: %s %v", o.Status, o.Error)
		}
		for bad, want := range map[string]string{
			"soon": "such as 30s", "30": "such as 30s", "-1s": "from 0s to 1h", "1h0m0.000000001s": "from 0s to 1h", "1000000h": "from 0s to 1h",
		} {
			o := r.send(task("f", "true"), messages.HeaderWait, bad)
			if o.Status != messages.StatusRejected || o.Error.Code != messages.CodeInvalidArgument || o.Error.Field != messages.HeaderWait ||
				!strings.Contains(o.Error.Message, bad) || !strings.Contains(o.Error.Message, want) {
				t.Errorf("%s: %s %v", bad, o.Status, o.Error)
			}
		}
	})
}

func TestRejections(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(task("taken", "true"))
		r.send(placed(task("new", "true"), 7))
		synctest.Wait()
		target := task("target", "true")
		target.Target = "linux-2"
		order := revoke("x", 1)
		order.Attempt = 0
		for name, c := range map[string]struct {
			job    messages.Job
			header []string
			code   messages.Code
		}{
			"another job of that id":    {task("taken", "false"), nil, messages.CodeIDConflict},
			"a placed one of that id":   {task("new", "false"), nil, messages.CodeIDConflict},
			"another journal":           {placed(task("a", "true"), 1), []string{messages.HeaderJournal, "another"}, messages.CodeWrongIncarnation},
			"a fenced attempt":          {placed(task("new", "true"), 6), nil, messages.CodeAborted},
			"another node's":            {target, nil, messages.CodeInvalidArgument},
			"a revoke from a scheduler": {order, nil, messages.CodePermissionDenied},
			"no image":                  {messages.Job{V: 1, ID: "b", Op: messages.OpRun}, nil, messages.CodeInvalidArgument},
			"another version":           {messages.Job{V: 2, ID: "b", Op: messages.OpRun}, nil, messages.CodeUnsupportedVersion},
		} {
			o := r.send(c.job, c.header...)
			if o.Status != messages.StatusRejected || o.Error.Code != c.code || o.Job != c.job.ID || o.Error.Message == "" {
				t.Errorf("%s: %s %v about %q, want %s", name, o.Status, o.Error, o.Job, c.code)
			}
		}
		for _, raw := range []string{"", "{", "[]", `{"v":1}`, `{"v":1,"id":"x y","op":"run"}`, `{"v":1,"id":"big","op":"` + strings.Repeat("x", 2<<17) + `"}`, `{"v":1,"id":"` + strings.Repeat("x", 100000) + `"}`} {
			if o := r.sendRaw([]byte(raw)); o.Status != messages.StatusRejected {
				t.Errorf("%.40s: %s", raw, o.Status)
			}
		}
		if o := r.send(placed(task("right", "true"), 1), messages.HeaderJournal, r.journal.ID()); o.Status != messages.StatusAccepted {
			t.Errorf("its own journal: %s %v", o.Status, o.Error)
		}
	})
}

// A job whose first attempt is still at work here is not begun a second time.
func TestANewAttemptWaitsForTheOldOne(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(placed(task("web", "sleep", "5"), 1))
		if o := r.send(placed(task("web", "sleep", "5"), 2)); o.Status != messages.StatusRejected || !o.Error.Retryable {
			t.Errorf("answered %s %v", o.Status, o.Error)
		}
		time.Sleep(6 * time.Second)
		if o := r.send(placed(task("web", "true"), 2)); o.Status != messages.StatusAccepted {
			t.Errorf("after the first one's end: %s %v", o.Status, o.Error)
		}
		if got := r.said("web"); got != "1.2 completed, 2.2 completed" {
			t.Errorf("said: %s", got)
		}
	})
}

func TestATimeoutStopsATask(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := task("web", "sleep", "3600")
		job.Timeout = messages.Duration(time.Minute)
		if o := r.send(job, messages.HeaderWait, "2m"); o.Status != messages.StatusFailed || o.Result.ExitReason != messages.ExitTimeout {
			t.Errorf("it ended as %s %+v", o.Status, o.Result)
		}
	})
}

func TestAnEndedContainerIsKeptForAsLongAsTheJobWants(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := task("web", "true")
		job.Retain = messages.Duration(time.Hour)
		r.send(job)
		time.Sleep(time.Hour - time.Second)
		if got := r.containers(); got != "web-rep-0 exited" {
			t.Errorf("before its time: %q", got)
		}
		time.Sleep(2 * time.Second)
		if got := r.containers(); got != "" {
			t.Errorf("after its time: %q", got)
		}
	})
}
