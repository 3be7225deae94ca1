package runtimetest

import (
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func logCases() []testCase {
	covers := []string{"Logs"}
	all := runtime.LogOptions{Tail: -1}
	follow := runtime.LogOptions{Tail: -1, Follow: true}
	return []testCase{
		{name: "logs_are_exact", covers: covers, run: func(s *scene) {
			s.logged("hello  world\n\nlast\n", all, "sh", "-c", "echo 'hello  world'; echo; echo last")
		}},
		{name: "logs_keep_a_missing_newline_missing", covers: covers, run: func(s *scene) {
			s.logged("one\ntwo", all, "sh", "-c", "echo one; echo -n two")
		}},
		{name: "logs_of_a_long_line", covers: covers, run: func(s *scene) {
			word := strings.Repeat("abcdefghij", 6000)
			s.logged(word+"\nend\n", all, "sh", "-c", "echo "+word+"; echo end")
		}},
		{name: "logs_of_silence", covers: covers, run: func(s *scene) { s.logged("", all, "true") }},
		{name: "logs_tail", covers: covers, run: logsTail},
		{name: "logs_since", covers: covers, run: logsSince},
		{name: "logs_keep_two_streams_apart", covers: covers, run: logsTwoStreams},
		{name: "logs_are_there_while_it_runs", covers: covers, run: logsWhileRunning},
		{name: "logs_follow_ends_with_the_container", covers: covers, run: logsFollow},
		{name: "logs_follow_of_what_has_ended_ends_at_once", covers: covers, run: func(s *scene) {
			s.logged("gone\n", follow, "echo", "gone")
		}},
		{name: "logs_follow_of_what_is_not_started_waits_for_it", covers: covers, run: logsFollowCreated},
		{name: "logs_tail_since_and_follow_together", covers: covers, run: logsTogether},
		{name: "logs_outlive_their_container", covers: []string{"Logs", "Remove"}, run: logsOutlive},
		{name: "logs_follow_stops_when_its_reader_does", covers: covers, run: logsReaderStops},
	}
}

// logged asserts the whole standard output of a program that has ended.
func (s *scene) logged(want string, opts runtime.LogOptions, argv ...string) {
	id := s.ended(argv...)
	if got := s.output(id, runtime.Stdout, opts); got != want {
		s.Errorf("standard output is %q, want %q", clip(got), clip(want))
	}
	if got := s.output(id, runtime.Stderr, opts); got != "" {
		s.Errorf("standard error is %q, want nothing", clip(got))
	}
}

func logsTail(s *scene) {
	id := s.ended("sh", "-c", "echo a; echo b; echo c")
	for tail, want := range map[int]string{-1: "a\nb\nc\n", 0: "", 1: "c\n", 2: "b\nc\n", 3: "a\nb\nc\n", 100: "a\nb\nc\n"} {
		if got := s.output(id, runtime.Stdout, runtime.LogOptions{Tail: tail}); got != want {
			s.Errorf("tail %d is %q, want %q", tail, got, want)
		}
	}
}

func logsSince(s *scene) {
	// The sleep sets the two lines' times apart; nothing is asserted of it.
	id := s.ended("sh", "-c", "echo early; sleep 0.05; echo late")
	var entries []runtime.LogEntry
	for entry, err := range s.rt.Logs(s.ctx, id, runtime.LogOptions{Tail: -1}) {
		s.must(err)
		entries = append(entries, entry)
	}
	if len(entries) != 2 || !entries[1].At.After(entries[0].At) {
		s.Fatalf("entries are %+v, want two with rising times", entries)
	}
	for since, want := range map[time.Time]string{
		entries[0].At:                     "early\nlate\n",
		entries[1].At:                     "late\n",
		entries[1].At.Add(time.Second):    "",
		entries[0].At.Add(-1 * time.Hour): "early\nlate\n",
	} {
		if got := s.output(id, runtime.Stdout, runtime.LogOptions{Tail: -1, Since: since}); got != want {
			s.Errorf("since %v is %q, want %q", since, got, want)
		}
	}
}

// logsTogether combines what is asked for; the tail is of what is since.
func logsTogether(s *scene) {
	id := s.ended("sh", "-c", "echo a; echo b; sleep 0.05; echo c; echo d; echo -n e")
	var late time.Time
	for entry, err := range s.rt.Logs(s.ctx, id, runtime.LogOptions{Tail: -1}) {
		s.must(err)
		if string(entry.Message) == "c\n" {
			late = entry.At
		}
	}
	for _, follow := range []bool{false, true} {
		for tail, want := range map[int]string{-1: "c\nd\ne", 0: "", 1: "e", 2: "d\ne", 4: "c\nd\ne"} {
			opts := runtime.LogOptions{Tail: tail, Since: late, Follow: follow}
			if got := s.output(id, runtime.Stdout, opts); got != want {
				s.Errorf("%+v gives %q, want %q", opts, got, want)
			}
		}
	}
}

// logsOutlive reads what a container wrote when it is gone, as it can for some
// time.
func logsOutlive(s *scene) {
	id := s.ended("sh", "-c", "echo gone; echo -n soon")
	s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
	for _, follow := range []bool{false, true} {
		if got := s.output(id, runtime.Stdout, runtime.LogOptions{Tail: -1, Follow: follow}); got != "gone\nsoon" {
			s.Errorf("followed %v: output of the removed is %q, want %q", follow, got, "gone\nsoon")
		}
	}
}

func logsTwoStreams(s *scene) {
	// A sleep that makes no sense complains on standard error, in words of
	// its own.
	id := s.ended("sh", "-c", "echo out; sleep nonsense")
	if got := s.output(id, runtime.Stdout, runtime.LogOptions{Tail: -1}); got != "out\n" {
		s.Errorf("standard output is %q, want %q", got, "out\n")
	}
	if got := s.output(id, runtime.Stderr, runtime.LogOptions{Tail: -1}); !strings.Contains(got, "nonsense") || !strings.HasSuffix(got, "\n") {
		s.Errorf("standard error is %q, want a line that names %q", got, "nonsense")
	}
}

func logsWhileRunning(s *scene) {
	id := s.started("sh", "-c", "echo up; sleep 3600")
	s.until("the line is there", func() bool {
		return s.output(id, runtime.Stdout, runtime.LogOptions{Tail: -1}) == "up\n"
	})
	s.wantState(id, runtime.PhaseRunning, 0)
}

func logsFollow(s *scene) {
	id := s.started("sh", "-c", "echo one; sleep 3600")
	var got strings.Builder
	for entry, err := range s.rt.Logs(s.ctx, id, runtime.LogOptions{Tail: -1, Follow: true}) {
		s.must(err)
		got.Write(entry.Message)
		s.must(s.rt.Kill(s.ctx, id, "KILL")) // what follows is the end
	}
	if got.String() != "one\n" {
		s.Errorf("followed %q, want %q", got.String(), "one\n")
	}
	if !s.state(id).Phase.Ended() {
		s.Errorf("the follow ended before the container")
	}
}

func logsFollowCreated(s *scene) {
	id := s.created("sh", "-c", "echo late; echo end")
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		for entry, err := range s.rt.Logs(s.ctx, id, runtime.LogOptions{Tail: -1, Follow: true}) {
			if err != nil {
				s.Errorf("follow: %v", err)
				return
			}
			lines <- string(entry.Message)
		}
	}()
	for range 8 {
		s.wantState(id, runtime.PhasePending, 0) // gives the follow time to begin
	}
	s.must(s.rt.Start(s.ctx, id))
	var got string
	for line := range lines {
		got += line
	}
	if got != "late\nend\n" {
		s.Errorf("followed %q, want %q", got, "late\nend\n")
	}
}

func logsReaderStops(s *scene) {
	id := s.started("sh", "-c", "echo one; echo two; sleep 3600")
	for entry, err := range s.rt.Logs(s.ctx, id, runtime.LogOptions{Tail: -1, Follow: true}) {
		s.must(err)
		if string(entry.Message) != "one\n" {
			s.Errorf("first line is %q", entry.Message)
		}
		break
	}
	s.must(s.rt.Kill(s.ctx, id, "KILL"))
	if outcome := s.wait(id); outcome.Reason != messages.ExitSignal {
		s.Errorf("outcome is %+v", outcome)
	}
}

// clip keeps a failure readable.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
