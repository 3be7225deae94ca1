package memory

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// lasting is the code of a program that runs until it is stopped, in tests.
const lasting = 128 + 9

func TestPrograms(t *testing.T) {
	for _, c := range []struct {
		argv     []string
		code     int
		out, err string // err: what standard error contains
	}{
		{argv: []string{"true"}},
		{argv: []string{"/bin/false"}, code: 1},
		{argv: []string{`C:\bin\echo.exe`, "a", "b"}, out: "a b\n"},
		{argv: []string{`D:/tools/ECHO.EXE`}, code: lasting}, // Windows would, but the name is not known
		{argv: []string{"echo.EXE", "-n", "a"}, out: "a"},
		{argv: []string{"exit"}},
		{argv: []string{"exit", "255"}, code: 255},
		{argv: []string{"exit", "256"}, code: 2, err: `"256"`},
		{argv: []string{"exit", "-1"}, code: 2, err: `"-1"`},
		{argv: []string{"exit", "1", "2"}, code: 2, err: `"1 2"`},
		{argv: []string{"sleep"}, code: 2, err: "0 arguments"},
		{argv: []string{"sleep", "NaN"}, code: 2, err: `"NaN"`},
		{argv: []string{"sleep", "-1"}, code: 2, err: `"-1"`},
		{argv: []string{"sleep", "1e300"}, code: 2, err: `"1e300"`},
		{argv: []string{"sleep", "infinity"}, code: lasting},
		{argv: []string{"nginx"}, code: lasting},
		{argv: nil, code: lasting},
		{argv: []string{"sh"}, code: lasting},
		{argv: []string{"sh", "-x", "true"}, code: lasting},
		{argv: []string{"/bin/sh", "-c", ""}},
		{argv: []string{"sh", "-c", "echo a;echo b\necho c;;"}, out: "a\nb\nc\n"},
		{argv: []string{"sh", "-c", "false; exit"}, code: 1},
		{argv: []string{"sh", "-c", "exit 3; echo never"}, code: 3},
		{argv: []string{"sh", "-c", "echo one; server; echo never"}, code: lasting, out: "one\n"},
		{argv: []string{"sh", "-c", `echo 'a;  b' "c \" d" e\;f ''`}, out: "a;  b c \" d e;f \n"},
		{argv: []string{"sh", "-c", "echo a'b'\"c\""}, out: "abc\n"},
		{argv: []string{"sh", "-c", "sh -c 'exit 4'; echo on; sh -c 'exit 5'"}, code: 5, out: "on\n"},
		{argv: []string{"sh", "-c", "echo 'never closed"}, code: lasting},
		{argv: []string{"sh", "-c", "echo $HOME"}, code: lasting},
		{argv: []string{"sh", "-c", `echo "$HOME"`}, code: lasting},
		{argv: []string{"sh", "-c", "echo a | cat"}, code: lasting},
		{argv: []string{"sh", "-c", "echo a > f"}, code: lasting},
		{argv: []string{"sh", "-c", `echo a\`}, code: lasting},
	} {
		t.Run(strings.Join(c.argv, " "), func(t *testing.T) { testProgram(t, c.argv, c.code, c.out, c.err) })
	}
}

func testProgram(t *testing.T, argv []string, wantCode int, wantOut, wantErr string) {
	synctest.Test(t, func(t *testing.T) {
		var out, err strings.Builder
		p := &process{write: func(stream runtime.Stream, data []byte) {
			if stream == runtime.Stderr {
				err.Write(data)
			} else {
				out.Write(data)
			}
		}}
		prog, known := programFor(argv)
		done := make(chan int, 1)
		go func() { done <- prog(p) }()
		synctest.Wait() // it has ended, or it never will
		var code int
		select {
		case code = <-done:
		default:
			p.raise(sigKill)
			<-done
			code = lasting
		}
		if code != wantCode || out.String() != wantOut || !strings.Contains(err.String(), wantErr) || (wantErr == "") != (err.Len() == 0) {
			t.Errorf("gave %d, %q and %q; want %d, %q and %q", code, out.String(), err.String(), wantCode, wantOut, wantErr)
		}
		if known != (wantCode != lasting) {
			t.Errorf("known is %v", known)
		}
	})
}

func TestArgvByTheRulesOfOCI(t *testing.T) {
	image := Image{Entrypoint: []string{"/bin/echo"}, Cmd: []string{"hello"}}
	for _, c := range []struct {
		entrypoint, args []string
		want             string
	}{
		{nil, nil, "/bin/echo hello"},
		{nil, []string{"bye"}, "/bin/echo bye"},
		{[]string{"true"}, nil, "true"},
		{[]string{"exit"}, []string{"3"}, "exit 3"},
	} {
		if got := strings.Join(argv(&messages.Spec{Entrypoint: c.entrypoint, Args: c.args}, image), " "); got != c.want {
			t.Errorf("entrypoint %q and args %q run %q, want %q", c.entrypoint, c.args, got, c.want)
		}
	}
}
