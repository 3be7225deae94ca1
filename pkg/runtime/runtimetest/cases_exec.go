package runtimetest

import (
	"errors"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func execCases() []testCase {
	return []testCase{
		{name: "exec_gives_output_and_exit_code", covers: []string{"Exec"}, run: execResult},
		{name: "exec_cuts_long_output", covers: []string{"Exec"}, run: execTruncated},
		{name: "exec_without_a_command_is_invalid_argument", covers: []string{"Exec"}, run: func(s *scene) {
			_, err := s.rt.Exec(s.ctx, s.lasting(), runtime.ExecOptions{})
			s.wantCode("exec", err, messages.CodeInvalidArgument)
		}},
		{name: "exec_needs_a_running_container", covers: []string{"Exec"}, run: func(s *scene) {
			for what, id := range map[string]runtime.ContainerID{"created": s.created("true"), "ended": s.ended("true")} {
				_, err := s.rt.Exec(s.ctx, id, runtime.ExecOptions{Cmd: []string{"true"}})
				s.wantCode("exec in a container that is "+what, err, messages.CodeFailedPrecondition)
			}
		}},
		{name: "exec_leaves_the_container_as_it_is", covers: []string{"Exec"}, run: execLeaves},
		{name: "exec_stream_ends_with_exactly_one_exit", covers: []string{"ExecStream"}, run: execStream},
		{name: "exec_stream_stops_when_its_reader_does", covers: []string{"ExecStream"}, run: execReaderStops},
		{name: "exec_ends_with_its_container", covers: []string{"ExecStream"}, run: execEndsWithContainer},
	}
}

func execResult(s *scene) {
	id := s.lasting()
	result, err := s.rt.Exec(s.ctx, id, runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo out; sleep nonsense; exit 7"}})
	s.must(err)
	if result.ExitCode != 7 || string(result.Stdout) != "out\n" || !strings.Contains(string(result.Stderr), "nonsense") || result.Truncated {
		s.Errorf("exec gave %+v, want 7, %q and a complaint on standard error", result, "out\n")
	}
	result, err = s.rt.Exec(s.ctx, id, runtime.ExecOptions{Cmd: []string{"false"}})
	s.must(err) // a program that fails is a result
	if result.ExitCode != 1 {
		s.Errorf("exec of false gave %d, want 1", result.ExitCode)
	}
}

func execTruncated(s *scene) {
	word := strings.Repeat("x", messages.MaxCapturedBytes-1)
	id := s.lasting()
	exec := func(script string) runtime.ExecResult {
		result, err := s.rt.Exec(s.ctx, id, runtime.ExecOptions{Cmd: []string{"sh", "-c", script}})
		s.must(err)
		return result
	}
	if got := exec("echo " + word); len(got.Stdout) != messages.MaxCapturedBytes || got.Truncated {
		s.Errorf("output as long as the limit: %d bytes, truncated %v; want %d, false", len(got.Stdout), got.Truncated, messages.MaxCapturedBytes)
	}
	if got := exec("echo " + word + "; echo more; exit 2"); len(got.Stdout) != messages.MaxCapturedBytes || !got.Truncated || got.ExitCode != 2 {
		s.Errorf("output beyond the limit: %d bytes, truncated %v, exit code %d; want %d, true, 2",
			len(got.Stdout), got.Truncated, got.ExitCode, messages.MaxCapturedBytes)
	}
}

func execLeaves(s *scene) {
	id := s.started("sh", "-c", "echo mine; sleep 3600")
	_, err := s.rt.Exec(s.ctx, id, runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo theirs; exit 1"}})
	s.must(err)
	s.wantState(id, runtime.PhaseRunning, 0)
	s.until("the container's own line is there", func() bool {
		return s.output(id, runtime.Stdout, runtime.LogOptions{Tail: -1}) == "mine\n"
	})
}

func execStream(s *scene) {
	var out strings.Builder
	var exits []int
	opts := runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo a; echo b; exit 5"}}
	for event, err := range s.rt.ExecStream(s.ctx, s.lasting(), opts) {
		s.must(err)
		if len(exits) > 0 {
			s.Errorf("event %+v after the exit", event)
		}
		if event.Exit != nil {
			exits = append(exits, *event.Exit)
			continue
		}
		if event.Stream != runtime.Stdout {
			s.Errorf("output on %q, want stdout", event.Stream)
		}
		out.Write(event.Data)
	}
	if out.String() != "a\nb\n" || len(exits) != 1 || exits[0] != 5 {
		s.Errorf("stream gave %q and exits %v, want %q and one 5", out.String(), exits, "a\nb\n")
	}
}

func execReaderStops(s *scene) {
	id := s.lasting()
	opts := runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo a; sleep 3600"}}
	for _, err := range s.rt.ExecStream(s.ctx, id, opts) {
		s.must(err)
		break
	}
	s.wantState(id, runtime.PhaseRunning, 0)
}

func execEndsWithContainer(s *scene) {
	id := s.lasting()
	opts := runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo a; sleep 3600"}}
	for event, err := range s.rt.ExecStream(s.ctx, id, opts) {
		if err != nil {
			if errors.Is(err, s.ctx.Err()) {
				s.Errorf("exec outlived its container: %v", err)
			}
			return // ended by an error: it is gone all the same
		}
		if event.Exit != nil && *event.Exit == 0 {
			s.Errorf("an exec that was killed exited with 0")
		}
		if event.Exit == nil {
			s.must(s.rt.Kill(s.ctx, id, "KILL"))
		}
	}
}
