package worker_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// web is a service with a health check.
func web() messages.Job {
	return messages.Job{
		V: messages.Version, ID: "web", Op: messages.OpRun, Kind: messages.KindService, Attempt: 1,
		Spec: &messages.Spec{
			Image: "team/server:1", StopGrace: messages.Duration(time.Second),
			Health: &messages.Health{HTTP: &messages.HealthHTTP{Port: 80}, Interval: messages.Duration(5 * time.Second), Retries: 2},
		},
	}
}

// saidHealth is what has been said of a service, as "seq status" and its health.
func (r *rig) saidHealth(job string) string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	var parts []string
	for _, o := range r.outcomes {
		if o.Job == job {
			part := fmt.Sprintf("%d %s", o.Seq, o.Status)
			if o.Status == messages.StatusRunning && !o.Healthy() {
				part += " not healthy"
			}
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// setSick says what the health checks find wrong; "" is nothing.
func (f *faultyRuntime) setSick(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sick = what
}

func (f *faultyRuntime) Probe(ctx context.Context, id runtime.ContainerID, check messages.Health) (runtime.Verdict, error) {
	if _, err := f.Runtime.Probe(ctx, id, check); err != nil {
		return runtime.Verdict{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sick != "" {
		return runtime.Verdict{Output: f.sick}, nil
	}
	return runtime.Verdict{Healthy: true, Output: "well"}, nil
}

func (r *rig) inspect(container string) messages.InspectReply {
	r.t.Helper()
	reply, err := ask[messages.InspectReply](r, messages.VerbInspect, `{"v":1,"container":"`+container+`"}`)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply
}

func (r *rig) list() []messages.ContainerInfo {
	r.t.Helper()
	reply, err := ask[messages.ListReply](r, messages.VerbList, `{"v":1}`)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply.Containers
}

func TestAServiceRunsWhenItIsHealthy(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		told := r.told("web")
		r.faulty.setSick("not yet")
		r.send(web())
		time.Sleep(3500 * time.Millisecond)
		if got := r.said("web"); got != "" {
			t.Fatalf("before it is healthy it has said: %s", got)
		}
		if h := r.inspect("web-rep-0").Health; h == nil || h.Status != "starting" || h.LastOutput != "not yet" {
			t.Errorf("while it starts its health is %+v", h)
		}
		r.faulty.setSick("")
		time.Sleep(time.Second)
		if got := r.saidHealth("web"); got != "2 running" {
			t.Fatalf("said: %s", got)
		}
		time.Sleep(time.Minute)
		r.faulty.setSick("no database")
		time.Sleep(11 * time.Second)
		if got := r.saidHealth("web"); got != "2 running, 3 running not healthy" {
			t.Errorf("said: %s", got)
		}
		if i := r.inspect("web-rep-0"); i.Healthy || i.Health.Status != "unhealthy" || i.Health.FailingStreak < 2 || i.Health.LastOutput != "no database" {
			t.Errorf("it is shown as %+v", i.Health)
		}
		if l := r.list(); len(l) != 1 || l[0].Healthy || l[0].State != "running" {
			t.Errorf("it is listed as %+v", l)
		}
		r.faulty.setSick("")
		time.Sleep(time.Minute)
		if got := r.saidHealth("web"); got != "2 running, 3 running not healthy, 4 running" {
			t.Errorf("said: %s", got)
		}
		if got := told(); got != "started, healthy (well), unhealthy (no database), healthy (well)" {
			t.Errorf("told: %s", got)
		}
	})
}

func TestAServiceThatDoesNotBecomeHealthyFails(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.faulty.setSick("connection refused")
		o := r.send(web(), messages.HeaderWait, "5m")
		if o.Status != messages.StatusFailed || o.Error == nil || o.Error.Code != messages.CodeUnavailable || !o.Error.Retryable ||
			!strings.Contains(o.Error.Message, "connection refused") {
			t.Errorf("it ends with %s, %+v", o.Status, o.Error)
		}
		time.Sleep(time.Second)
		if got := r.containers(); got != "" {
			t.Errorf("left behind: %s", got)
		}
	})
}

// What changes all the time is not said all the time.
func TestAFlappingServiceIsBounded(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := web()
		job.Spec.Health.Interval, job.Spec.Health.Retries = messages.Duration(time.Second), 1
		r.send(job, messages.HeaderWait, wait)
		for i := range 600 {
			r.faulty.setSick(map[bool]string{true: "ill"}[i/3%2 == 0])
			time.Sleep(time.Second)
		}
		if n := len(strings.Split(r.saidHealth("web"), ", ")); n < 20 || n > 62 {
			t.Errorf("%d outcomes in 10 minutes", n)
		}
	})
}

func TestAServiceThatRanGoesOnUnderTheNextWorker(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(web())
		time.Sleep(time.Minute)
		r.again()
		time.Sleep(time.Minute)
		if got := r.saidHealth("web"); got != "2 running" {
			t.Errorf("said: %s", got)
		}
		r.kill()
		r.again()
		r.faulty.setSick("gone bad")
		time.Sleep(time.Minute)
		if got := r.saidHealth("web"); got != "2 running, 3 running not healthy" {
			t.Errorf("said: %s", got)
		}
	})
}

// One that died while nobody watched is restarted by its policy, and is not
// healthy until its check passes.
func TestAServiceThatDiedWhileTheWorkerWasAway(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := web()
		job.Spec.Restart = &messages.Restart{Policy: messages.RestartAlways}
		r.send(job)
		time.Sleep(time.Minute)
		r.kill()
		if err := memory.New(r.machine).Kill(t.Context(), runtime.ContainerID{Service: "web"}, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		r.again()
		time.Sleep(time.Minute)
		if got := r.containers() + "; " + r.saidHealth("web"); got != "web-rep-0 running; 2 running, 3 running not healthy, 4 running" {
			t.Errorf("it is %s", got)
		}
	})
}
