package testenv

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// ending is how a test that asked for something ended.
type ending struct {
	testing.TB
	skipped, failed string
}

func (e *ending) Helper()      {}
func (e *ending) Name() string { return "TestAsking" }
func (e *ending) Skip(args ...any) {
	e.skipped, _ = args[0].(string)
	runtime.Goexit()
}
func (e *ending) Fatalf(format string, args ...any) {
	for _, arg := range args {
		if text, ok := arg.(string); ok {
			e.failed = text
		}
	}
	runtime.Goexit()
}

// ask runs a question as a test of its own would.
func ask(question func(testing.TB)) *ending {
	e := &ending{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		question(e)
	}()
	<-done
	return e
}

func TestMissingPartIsSkippedAndNoted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "left-out")
	t.Setenv("CI", "")
	t.Setenv("SHUNT_LEFT_OUT", file)
	t.Setenv("SHUNT_BIN", t.TempDir())
	e := ask(func(tb testing.TB) { Bin(tb) })
	if !strings.Contains(e.skipped, "make build") || e.failed != "" {
		t.Errorf("skipped with %q, failed with %q; want a skip that names make build", e.skipped, e.failed)
	}
	noted, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(noted), "TestAsking: SHUNT_BIN") {
		t.Errorf("noted %q, %v; want the test and the reason", noted, err)
	}
}

func TestMissingPartFailsInCI(t *testing.T) {
	t.Setenv("CI", "true")
	t.Setenv("SHUNT_NATS_CLI", "")
	e := ask(func(tb testing.TB) { NatsCLI(tb) })
	if e.skipped != "" || !strings.Contains(e.failed, "make nats") {
		t.Errorf("skipped with %q, failed with %q; want a failure that names make nats", e.skipped, e.failed)
	}
}

func TestPartThatIsThereIsGiven(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"worker", "placer", "shunt"} {
		if err := os.WriteFile(filepath.Join(dir, executable(name)), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SHUNT_BIN", dir)
	if got := Bin(t); got != dir {
		t.Errorf("Bin is %q, want %q", got, dir)
	}
}

func TestToyboxIsBuiltWhereItIsMissing(t *testing.T) {
	t.Setenv("SHUNT_BIN", "")
	first, second := Toybox(t), Toybox(t)
	for _, path := range []string{first, second} {
		if info, err := os.Stat(path); err != nil || info.Size() < 1<<20 {
			t.Errorf("%s: %v; want a program of more than a MiB", path, err)
		}
	}
}

// TestGuardsOfTheMachine: what a machine lacks is said, with how to get it.
func TestGuardsOfTheMachine(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv("SHUNT_LEFT_OUT", "")
	t.Setenv("PATH", t.TempDir())
	e := ask(func(tb testing.TB) { Iptables(tb) })
	if !strings.Contains(e.skipped, "iptables") || !strings.Contains(e.skipped, "apt-get install iptables") {
		t.Errorf("without iptables: skipped with %q, failed with %q; want a skip that says what to install", e.skipped, e.failed)
	}
	if e := ask(func(tb testing.TB) { Debian(tb) }); !strings.Contains(e.skipped, "not Debian") {
		t.Errorf("without apt-get: skipped with %q, failed with %q; want a skip that says so", e.skipped, e.failed)
	}
}

// TestAptWithoutLists: apt that was never told what there is can install nothing.
func TestAptWithoutLists(t *testing.T) {
	Program(t, "apt-get", "this is not Debian")
	conf := filepath.Join(t.TempDir(), "apt.conf")
	text := "Dir::State::lists \"" + t.TempDir() + "\";\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("APT_CONFIG", conf)
	t.Setenv("CI", "")
	t.Setenv("SHUNT_LEFT_OUT", "")
	if e := ask(func(tb testing.TB) { Debian(tb) }); !strings.Contains(e.skipped, "apt-get update") {
		t.Errorf("skipped with %q, failed with %q; want a skip that names apt-get update", e.skipped, e.failed)
	}
}
