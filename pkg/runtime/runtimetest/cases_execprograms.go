package runtimetest

import (
	"fmt"
	goruntime "runtime"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// execProgramCases need programs beyond those that every image of the suite has.
func execProgramCases() []testCase {
	exec, stream, session := []string{"Exec"}, []string{"ExecStream"}, []string{"ExecSession"}
	return []testCase{
		{name: "exec_runs_where_and_as_it_is_told", covers: exec, programs: []string{"pwd", "env", "id"}, run: execSurroundings},
		{name: "exec_output_is_whole_however_soon_it_ends", covers: exec, programs: []string{"flood"}, run: execWhole},
		{name: "exec_stream_waits_for_a_slow_reader", covers: stream, programs: []string{"flood"}, alone: true, run: execSlowReader},
		{name: "exec_session_input_has_an_end", covers: session, programs: []string{"cat"}, run: sessionInput},
		{name: "exec_session_terminal_has_a_size", covers: session, programs: []string{"cat", "stty"}, run: sessionTerminal},
	}
}

func execSurroundings(s *scene) {
	id := s.lasting()
	for _, c := range []struct {
		opts runtime.ExecOptions
		want string
	}{
		{runtime.ExecOptions{Cmd: []string{"pwd"}, Workdir: "/proc"}, "/proc\n"},
		{runtime.ExecOptions{Cmd: []string{"env"}, Env: map[string]string{"SHUNT_TOLD": "a b=c"}}, "SHUNT_TOLD=a b=c\n"},
		{runtime.ExecOptions{Cmd: []string{"id"}, User: "1234:567"}, "uid=1234 gid=567"},
	} {
		result, err := s.rt.Exec(s.ctx, id, c.opts)
		s.must(err)
		if result.ExitCode != 0 || !strings.Contains(string(result.Stdout), c.want) {
			s.Errorf("%+v gives %d and %q, want 0 and %q in it", c.opts, result.ExitCode, result.Stdout, c.want)
		}
	}
}

// flood is what the program flood prints.
func flood(lines int) string {
	var b strings.Builder
	for i := 1; i <= lines; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func execWhole(s *scene) {
	id := s.lasting()
	const lines = 4000
	want := flood(lines)
	for range 5 {
		result, err := s.rt.Exec(s.ctx, id, runtime.ExecOptions{Cmd: []string{"flood", fmt.Sprint(lines)}})
		s.must(err)
		if got := string(result.Stdout); got != want || result.ExitCode != 0 {
			s.Fatalf("%d bytes of %d came, and exit code %d", len(got), len(want), result.ExitCode)
		}
	}
}

// execSlowReader reads a little of much and then nothing: the program has to
// wait, not the memory to grow. What it wrote is all there in the end.
func execSlowReader(s *scene) {
	id := s.lasting()
	const lines = 1_000_000
	opts := runtime.ExecOptions{Cmd: []string{"flood", fmt.Sprint(lines)}}
	read, before := 0, heap()
	end := s.readToEnd(s.rt.ExecStream(s.ctx, id, opts), func(event runtime.ExecEvent) {
		if read == 0 {
			for range 50 {
				s.state(id) // and the program may write what it likes
			}
			if grown := heap() - before; grown > slowReaderBytes {
				s.Errorf("%d bytes are held for a reader that does not read, want at most %d", grown, slowReaderBytes)
			}
		}
		read += len(event.Data)
	})
	if want := len(flood(lines)); read != want || end.err != nil || end.exit != 0 {
		s.Errorf("read %d bytes of %d, then %+v", read, want, end)
	}
}

// slowReaderBytes is what may be on the way to a reader that does not read; the
// program has more.
const slowReaderBytes = 4 << 20

func sessionInput(s *scene) {
	session, err := s.rt.ExecSession(s.ctx, s.lasting(), runtime.ExecOptions{Cmd: []string{"cat"}, Stdin: true})
	s.must(err)
	defer session.Close()
	text := flood(20_000) // more than a pipe holds, so it has to flow
	go func() {
		if _, err := session.Write([]byte(text)); err != nil {
			s.Errorf("write: %v", err)
		}
		if err := session.CloseWrite(); err != nil {
			s.Errorf("close write: %v", err)
		}
	}()
	var out strings.Builder
	end := s.readToEnd(session.Events(), func(event runtime.ExecEvent) { out.Write(event.Data) })
	if out.String() != text || end.err != nil || end.exit != 0 {
		s.Errorf("%d bytes of %d came back, then %+v", out.Len(), len(text), end)
	}
}

func sessionTerminal(s *scene) {
	opts := runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo up; cat; stty size"}, Stdin: true, TTY: true}
	session, err := s.rt.ExecSession(s.ctx, s.lasting(), opts)
	s.must(err)
	defer session.Close()
	var out strings.Builder
	up := false
	end := s.readToEnd(session.Events(), func(event runtime.ExecEvent) {
		if event.Stream != runtime.Stdout {
			s.Errorf("a terminal's output came on %q, want stdout alone", event.Stream)
		}
		out.Write(event.Data)
		if !up && strings.Contains(out.String(), "up\r\n") {
			up = true
			s.must(session.Resize(s.ctx, 33, 77))
			_, err := session.Write([]byte{4}) // ^D: the end of file at a terminal
			s.must(err)
		}
	})
	if !strings.Contains(out.String(), "33 77\r\n") || end.err != nil || end.exit != 0 {
		s.Errorf("the terminal shows %q, then %+v; want its size, 33 77, and exit code 0", out.String(), end)
	}
}

// heap is what this process holds in memory, so nothing else may go on in it.
func heap() int64 {
	var stats goruntime.MemStats
	goruntime.GC()
	goruntime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
