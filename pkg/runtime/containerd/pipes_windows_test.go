package containerd

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// openTestPipes listens. Under Wine the first who dials a pipe gets the instance
// with which go-winio holds the name, and nobody answers; it is held here, so
// that the next one is heard.
func openTestPipes(t *testing.T, stdout, stderr *bytes.Buffer) *pipes {
	t.Helper()
	p, err := openPipes("shunt-"+t.Name(), nil, stdout, stderr, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() != nil {
		return p
	}
	for _, path := range []string{p.Config().Stdout, p.Config().Stderr} {
		held, err := winio.DialPipeContext(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { held.Close() })
	}
	return p
}

// What the shim has written when it closes its ends is there when Wait returns,
// however much was still in the pipes.
func TestPipesLoseNoTail(t *testing.T) {
	var stdout, stderr bytes.Buffer
	p := openTestPipes(t, &stdout, &stderr)
	want := strings.Repeat("a line of output\n", 20_000) + "its tail"
	var shim sync.WaitGroup
	for _, path := range []string{p.Config().Stdout, p.Config().Stderr} {
		shim.Go(func() {
			conn, err := winio.DialPipeContext(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			if _, err := conn.Write([]byte(want)); err != nil {
				t.Error(err)
			}
		})
	}
	p.Wait()
	shim.Wait()
	if stdout.String() != want || stderr.String() != want {
		t.Errorf("%d and %d bytes came, want %d of each", stdout.Len(), stderr.Len(), len(want))
	}
}

// A start that fails leaves pipes that nobody has dialled: who waits for their
// output is let go.
func TestPipesThatNobodyDialled(t *testing.T) {
	p := openTestPipes(t, &bytes.Buffer{}, &bytes.Buffer{})
	p.stopListening()
	p.Wait()
}

// With a terminal all output is on stdout: the shim refuses a second pipe.
func TestPipesOfATerminal(t *testing.T) {
	p, err := openPipes("shunt-test-terminal", nil, &bytes.Buffer{}, &bytes.Buffer{}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if c := p.Config(); c.Stderr != "" || c.Stdout == "" || c.Stdin != "" || !c.Terminal {
		t.Errorf("the pipes are %+v, want one for stdout alone", c)
	}
}
