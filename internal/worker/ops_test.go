package worker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

const wait = "1h" // virtual time

func service(id string, cmd ...string) messages.Job {
	job := task(id, cmd...)
	job.Kind = messages.KindService
	return job
}

func on(container string, op messages.Op, args messages.Args) messages.Job {
	return messages.Job{V: messages.Version, ID: "op-" + string(op), Op: op, Container: container, Args: args}
}

func TestAServiceThatIsStoppedIsCompleted(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(service("web", "sleep", "3600"), messages.HeaderWait, wait)
		o := r.send(on("web-rep-0", messages.OpStop, messages.Args{}), messages.HeaderWait, wait)
		if o.Status != messages.StatusCompleted || o.Result == nil || o.Result.Changed == nil || !*o.Result.Changed {
			t.Errorf("the stop is %s %+v", o.Status, o.Result)
		}
		if last := r.last("web"); last.Status != messages.StatusCompleted || *last.Result.ExitCode != 143 {
			t.Errorf("the service is %s", last.Status)
		}
	})
}

func TestAServiceThatIsRemovedByForceIsCompleted(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(service("web", "sleep", "3600"), messages.HeaderWait, wait)
		o := r.send(on("web-rep-0", messages.OpRemove, messages.Args{Force: true}), messages.HeaderWait, wait)
		if o.Status != messages.StatusCompleted || r.last("web").Status != messages.StatusCompleted {
			t.Errorf("the remove is %s, the service %s", o.Status, r.last("web").Status)
		}
	})
}

func TestARestartDoesNotEndTheJob(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(service("web", "sleep", "60"), messages.HeaderWait, wait)
		o := r.send(on("web-rep-0", messages.OpRestart, messages.Args{}), messages.HeaderWait, wait)
		if o.Status != messages.StatusCompleted || o.Result.State != "running" {
			t.Errorf("the restart is %s %+v", o.Status, o.Result)
		}
		time.Sleep(time.Second)
		if got := r.containers(); got != "web-rep-0 running" {
			t.Errorf("there is %q", got)
		}
		if said := r.said("web"); said != "1.1 accepted, 1.2 running" {
			t.Errorf("said: %s", said)
		}
		time.Sleep(time.Minute)
		if last := r.last("web"); last.Status != messages.StatusCompleted {
			t.Errorf("in the end it is %s", last.Status)
		}
	})
}

// Two jobs may name one container; the one that has not made it has nothing to
// take away.
func TestACancelTakesNoOthersContainer(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		mine := placed(task("mine", "sleep", "3600"), 1)
		mine.Service = "web"
		r.send(mine)
		synctest.Wait()
		other := placed(task("other", "sleep", "3600"), 1)
		other.Service, other.Spec.Image = "web", "team/nobody-has-it:1"
		r.send(other)
		r.send(revoke("other", 1))
		if got := r.containers(); got != "web-rep-0 running" {
			t.Errorf("after the other job's cancel there is %q", got)
		}
	})
}

// A program that is given too little time has run, and must not run again.
func TestAnExecThatRanTooLongIsNotRepeated(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(service("web", "sleep", "3600"), messages.HeaderWait, wait)
		o := r.send(on("web-rep-0", messages.OpExec, messages.Args{
			Cmd: []string{"sleep", "60"}, Timeout: messages.Duration(time.Second),
		}), messages.HeaderWait, wait)
		if o.Status != messages.StatusFailed || o.Error.Code != messages.CodeDeadlineExceeded || o.Error.Retryable || o.Error.Field != "args.timeout" {
			t.Errorf("it is %s %v", o.Status, o.Error)
		}
	})
}

// Whether an exec has run is not known when the runtime goes away under it.
func TestAnExecThatWasCutOffIsInterrupted(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(service("web", "sleep", "3600"), messages.HeaderWait, wait)
		r.faulty.setAway(true)
		defer r.faulty.setAway(false)
		o := r.send(on("web-rep-0", messages.OpExec, messages.Args{Cmd: []string{"true"}}), messages.HeaderWait, wait)
		if o.Status != messages.StatusInterrupted {
			t.Errorf("it is %s %v", o.Status, o.Error)
		}
	})
}
