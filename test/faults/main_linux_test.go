package faults

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// shared is the machine of the tests that need none of their own.
var shared machine

// machine is a containerd, and a registry.
type machine struct {
	once  sync.Once
	err   error
	dir   string
	tools string
	c     *managed.Containerd
	reg   *toybox.Registry
}

func (m *machine) start(t testing.TB) *machine {
	t.Helper()
	m.tools = testenv.Tools(t)
	m.once.Do(func() {
		if m.dir, m.err = os.MkdirTemp("", "shunt-faults-"); m.err == nil {
			m.err = m.open(m.dir)
		}
	})
	if m.err != nil {
		t.Fatal(m.err)
	}
	return m
}

// newMachine is one of the test's own, with its state in dir.
func newMachine(t testing.TB, dir string) *machine {
	t.Helper()
	m := &machine{tools: testenv.Tools(t), dir: dir}
	if err := m.open(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func (m *machine) config() managed.Config {
	return managed.Config{StateDir: m.dir, Tools: m.tools, Logger: slog.New(slog.DiscardHandler)}
}

func (m *machine) open(dir string) (err error) {
	m.dir = dir
	if m.reg, err = toybox.Serve("127.0.0.1:0"); err != nil {
		return err
	}
	m.c, err = managed.Start(context.Background(), m.config())
	return err
}

func (m *machine) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if m.reg != nil {
		m.reg.Close()
	}
	return m.c.Remove(ctx)
}

func (m *machine) stop() error {
	if m.c == nil {
		return nil
	}
	if err := m.close(); err != nil {
		return err
	}
	return os.RemoveAll(m.dir)
}

// runDir is where containerd keeps what has to have a short path.
func (m *machine) runDir() string { return filepath.Dir(m.c.Address()) }
