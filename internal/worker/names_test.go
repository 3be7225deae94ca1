package worker_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// named is a direct job under the name of another's container.
func named(id, service string, cmd ...string) messages.Job {
	job := task(id, cmd...)
	job.Service = service
	return job
}

func TestANameBelongsToOneLiveJobOnTheNode(t *testing.T) {
	for name, holder := range map[string]messages.Job{
		"given directly": named("first", "web", "sleep", "5"),
		"placed":         placed(named("first", "web", "sleep", "5"), 1),
		"by default":     task("web", "sleep", "5"),
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				if o := r.send(holder); o.Status != messages.StatusAccepted {
					t.Fatalf("the first is answered %s %v", o.Status, o.Error)
				}
				second := named("second", "web", "true")
				o := r.send(second)
				if o.Status != messages.StatusRejected || o.Error.Code != messages.CodeAlreadyExists || o.Error.Field != "service" ||
					!strings.Contains(o.Error.Message, "web-rep-0") || !strings.Contains(o.Error.Message, "job "+holder.ID) || o.Error.Retryable {
					t.Errorf("the second is answered %s %v", o.Status, o.Error)
				}
				create := second
				create.ID, create.Op = "third", messages.OpCreate
				if o := r.send(create); o.Status != messages.StatusRejected || o.Error.Code != messages.CodeAlreadyExists {
					t.Errorf("a create is answered %s %v", o.Status, o.Error)
				}
				replace := second
				replace.Args.Replace = true
				if o := r.send(replace); o.Status != messages.StatusRejected || !strings.Contains(o.Error.Message, "submit") {
					t.Errorf("a replacement is answered %s %v", o.Status, o.Error)
				}
				if got := r.said("second") + r.said("third"); got != "" || r.faulty.creates != 1 {
					t.Errorf("%d containers were made; said: %s", r.faulty.creates, got)
				}
				time.Sleep(6 * time.Second) // the first has ended
				if o := r.send(second, messages.HeaderWait, "9s"); o.Status != messages.StatusCompleted {
					t.Errorf("once the name is free it is answered %s %v", o.Status, o.Error)
				}
			})
		})
	}
}

// Commands about different jobs are not taken one after the other.
func TestOfDirectJobsAtOnceUnderOneNameOneIsTaken(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		answers := make(chan messages.Outcome, 8)
		for i := range cap(answers) {
			go func() { answers <- r.send(named("job-"+string(rune('a'+i)), "web", "sleep", "60")) }()
		}
		accepted := 0
		for range cap(answers) {
			switch o := <-answers; {
			case o.Status == messages.StatusAccepted:
				accepted++
			case o.Error == nil || o.Error.Code != messages.CodeAlreadyExists:
				t.Errorf("answered %s %v", o.Status, o.Error)
			}
		}
		if accepted != 1 {
			t.Errorf("%d were accepted", accepted)
		}
	})
}

// What a placer sends has its name from the placers. It goes elsewhere while
// another job stays here under that name, and waits for one that is on its way out.
func TestAPlacedJobIsNotRejectedForItsName(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		first := placed(named("first", "web", "sleep", "3600"), 1)
		first.Spec.StopGrace = messages.Duration(time.Minute)
		r.send(first)
		synctest.Wait()
		o := r.send(placed(named("second", "web", "true"), 1))
		if o.Status != messages.StatusRouteToPeer || o.Route.Code != messages.RefuseCapacity || !strings.Contains(o.Route.Reason, "job first is on this node under the name web-rep-0") {
			t.Errorf("answered %s %v %v", o.Status, o.Error, o.Route)
		}
		r.faulty.setDeafToStop(true)
		if o := r.send(on("web-rep-0", messages.OpStop, messages.Args{})); o.Status != messages.StatusAccepted {
			t.Fatalf("the stop is answered %s %v", o.Status, o.Error)
		}
		synctest.Wait()
		if o := r.send(placed(named("third", "web", "true"), 1)); o.Status != messages.StatusAccepted {
			t.Errorf("while the first is being stopped: answered %s %v %v", o.Status, o.Error, o.Route)
		}
	})
}
