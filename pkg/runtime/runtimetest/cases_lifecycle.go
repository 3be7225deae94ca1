package runtimetest

import (
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func lifecycleCases() []testCase {
	return []testCase{
		{name: "exit_code_zero", covers: []string{"Create", "Start", "Wait"}, run: func(s *scene) { s.exitCode(0, "true") }},
		{name: "exit_code_one", covers: []string{"Create", "Start", "Wait"}, run: func(s *scene) { s.exitCode(1, "false") }},
		{name: "exit_code_n", covers: []string{"Create", "Start", "Wait"}, run: func(s *scene) { s.exitCode(42, "exit", "42") }},
		{name: "exit_code_of_a_shell", covers: []string{"Create", "Start", "Wait"}, run: func(s *scene) {
			s.exitCode(3, "sh", "-c", "true; exit 3")
		}},
		{name: "states_of_a_life", covers: []string{"State"}, run: statesOfALife},
		{name: "create_does_not_start", covers: []string{"Create", "State"}, run: func(s *scene) {
			s.wantState(s.created("true"), runtime.PhasePending, 0)
		}},
		{name: "second_create_is_already_exists_and_harms_nothing", covers: []string{"Create"}, run: secondCreate},
		{name: "create_of_a_missing_image_is_not_found_and_leaves_nothing", covers: []string{"Create", "State"}, run: createMissing},
		{name: "start_again_after_exit", covers: []string{"Start"}, run: startAgain},
		{name: "remove_then_not_found", covers: []string{"Remove"}, run: removeThenNotFound},
		{name: "remove_what_was_never_started", covers: []string{"Remove"}, run: func(s *scene) {
			id := s.created("true")
			s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
			_, err := s.rt.State(s.ctx, id)
			s.wantCode("state of the removed", err, messages.CodeNotFound)
		}},
		{name: "remove_running_needs_force", covers: []string{"Remove"}, run: removeRunning},
		{name: "the_same_id_again_after_remove", covers: []string{"Remove", "Create"}, run: sameIDAgain},
		{name: "rename_keeps_the_id", covers: []string{"Rename"}, run: renameKeepsID},
		{name: "pause_and_unpause", covers: []string{"Pause", "Unpause"}, run: pauseAndUnpause},
		{name: "update_resources", covers: []string{"UpdateResources"}, run: updateResources},
		{name: "sync_volumes_between_stop_and_remove", covers: []string{"SyncVolumes"}, run: syncVolumes},
	}
}

func (s *scene) exitCode(want int, argv ...string) {
	id := s.started(argv...)
	code, err := s.rt.Wait(s.ctx, id)
	s.must(err)
	if code != want {
		s.Errorf("%v exited with %d, want %d", argv, code, want)
	}
	outcome := s.wait(id)
	if outcome.ExitCode != want || outcome.Reason != messages.ExitExited || outcome.Signal != 0 || outcome.FinishedAt.IsZero() {
		s.Errorf("outcome of %v is %+v, want exit code %d, reason exited, no signal and a time", argv, outcome, want)
	}
	s.wantState(id, runtime.PhaseExited, want)
}

func statesOfALife(s *scene) {
	id := s.created("sleep", "3600")
	s.wantState(id, runtime.PhasePending, 0)
	s.must(s.rt.Start(s.ctx, id))
	s.wantState(id, runtime.PhaseRunning, 0)
	s.must(s.rt.Kill(s.ctx, id, "KILL"))
	s.wait(id)
	s.wantState(id, runtime.PhaseExited, 137)
}

func secondCreate(s *scene) {
	id := s.lasting()
	other := s.spec("exit", "9")
	s.wantCode("second create", s.make(id, other), messages.CodeAlreadyExists)
	s.wantState(id, runtime.PhaseRunning, 0)
	details, err := s.rt.Inspect(s.ctx, id)
	s.must(err)
	if details.Spec == nil || len(details.Spec.Args) != 1 || details.Spec.Args[0] != "3600" {
		s.Errorf("after a second create the first one's spec is %+v", details.Spec)
	}
	s.must(s.rt.Kill(s.ctx, id, ""))
	s.wait(id)
	s.wantCode("create of an ended but not removed id", s.make(id, other), messages.CodeAlreadyExists)
	s.wantState(id, runtime.PhaseExited, 137)
}

func createMissing(s *scene) {
	id := s.id()
	err := s.make(id, &messages.Spec{Image: s.cfg.MissingImage})
	s.wantCode("create of an image that is not there", err, messages.CodeNotFound)
	_, err = s.rt.State(s.ctx, id)
	s.wantCode("state after a failed create", err, messages.CodeNotFound)
	s.must(s.make(id, s.spec("true")))
}

func startAgain(s *scene) {
	id := s.ended("sh", "-c", "echo ran; exit 4")
	first := s.wait(id)
	s.must(s.rt.Start(s.ctx, id))
	second := s.wait(id)
	if second.ExitCode != 4 || !second.FinishedAt.After(first.FinishedAt) {
		s.Errorf("the second run ended with %+v, want exit code 4 later than %v", second, first.FinishedAt)
	}
}

func removeThenNotFound(s *scene) {
	id := s.ended("true")
	s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
	for _, c := range calls() {
		// Output may stay readable when its container is gone.
		if c.takesID && c.op != "Logs" && !s.lacks(c.op) {
			s.wantCode(c.op+" of a removed container", c.do(s.ctx, s.rt, s.subject(id)), messages.CodeNotFound)
		}
	}
	if _, listed := s.listed(id); listed {
		s.Errorf("%s is listed although it was removed", id)
	}
}

func removeRunning(s *scene) {
	id := s.lasting()
	s.wantCode("remove of a running container", s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}), messages.CodeFailedPrecondition)
	s.wantState(id, runtime.PhaseRunning, 0)
	s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{Force: true}))
	_, err := s.rt.State(s.ctx, id)
	s.wantCode("state after a forced remove", err, messages.CodeNotFound)
}

func sameIDAgain(s *scene) {
	id := s.ended("sh", "-c", "echo first; exit 5")
	s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
	s.must(s.make(id, s.spec("sh", "-c", "echo second; exit 6")))
	s.wantState(id, runtime.PhasePending, 0)
	s.must(s.rt.Start(s.ctx, id))
	if got := s.wait(id).ExitCode; got != 6 {
		s.Errorf("the second container exited with %d, want 6", got)
	}
	if got := s.output(id, runtime.Stdout, runtime.LogOptions{Tail: -1}); got != "second\n" {
		s.Errorf("the second container's output is %q, want only its own", got)
	}
}

func renameKeepsID(s *scene) {
	id := s.lasting()
	name := "second-" + id.Service
	s.must(s.rt.Rename(s.ctx, id, name))
	container, ok := s.listed(id)
	if !ok || container.Name != name {
		s.Errorf("after a rename %s is listed (%v) with the name %q, want %q", id, ok, container.Name, name)
	}
	s.wantState(id, runtime.PhaseRunning, 0)
	other := s.created("true")
	s.wantCode("rename to a name that is taken", s.rt.Rename(s.ctx, other, name), messages.CodeAlreadyExists)
	s.wantCode("rename to nothing", s.rt.Rename(s.ctx, other, ""), messages.CodeInvalidArgument)
}

func pauseAndUnpause(s *scene) {
	id := s.lasting()
	s.must(s.rt.Pause(s.ctx, id))
	s.wantCode("pause of a paused container", s.rt.Pause(s.ctx, id), messages.CodeFailedPrecondition)
	s.must(s.rt.Unpause(s.ctx, id))
	s.wantCode("unpause of a container that is not paused", s.rt.Unpause(s.ctx, id), messages.CodeFailedPrecondition)
	s.wantState(id, runtime.PhaseRunning, 0)
	s.must(s.rt.Kill(s.ctx, id, ""))
	s.wait(id)
	s.wantCode("pause of an ended container", s.rt.Pause(s.ctx, id), messages.CodeFailedPrecondition)
}

func updateResources(s *scene) {
	id := s.lasting()
	want := messages.Resources{CPUMilli: 250, Memory: 128 << 20}
	s.must(s.rt.UpdateResources(s.ctx, id, want))
	details, err := s.rt.Inspect(s.ctx, id)
	s.must(err)
	if details.Spec == nil || details.Spec.Resources != want {
		s.Errorf("after an update the spec is %+v, want its resources %+v", details.Spec, want)
	}
	s.wantState(id, runtime.PhaseRunning, 0)
}

func syncVolumes(s *scene) {
	id := s.lasting()
	s.must(s.rt.Stop(s.ctx, id, -1))
	volumes, err := s.rt.SyncVolumes(s.ctx, id, runtime.SyncOptions{})
	s.must(err)
	if len(volumes) != 0 {
		s.Errorf("a container without volumes has %+v", volumes)
	}
	s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
}
