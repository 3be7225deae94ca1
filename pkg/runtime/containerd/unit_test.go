package containerd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func TestContainerIDsAreReadableAndDifferent(t *testing.T) {
	form := regexp.MustCompile(`^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$`) // containerd's
	long := strings.Repeat("a", 127)
	seen := map[string]runtime.ContainerID{}
	for _, service := range []string{"web", "-web", "web-", "w--eb", "w-eb", "w_eb", "---", long + "b", long + "c", "web-1"} {
		for _, replica := range []uint32{0, 1, 1<<32 - 1} {
			id := runtime.ContainerID{Service: service, Replica: replica}
			got := containerID(id)
			if len(got) > maxIDLength || !form.MatchString(got) {
				t.Errorf("%s has the id %q, which containerd refuses", id, got)
			}
			if other, ok := seen[got]; ok {
				t.Errorf("%s and %s have the id %q", id, other, got)
			}
			seen[got] = id
		}
	}
	if got := containerID(runtime.ContainerID{Service: "web"}); !strings.HasPrefix(got, "web-0-") {
		t.Errorf("web's id is %q", got)
	}
}

func TestLastLines(t *testing.T) {
	entry := func(stream runtime.Stream, text string) runtime.LogEntry {
		return runtime.LogEntry{Stream: stream, Message: []byte(text)}
	}
	all := []runtime.LogEntry{
		entry("stdout", "a\n"), entry("stdout", "long "), entry("stderr", "e\n"), entry("stdout", "line\n"), entry("stdout", "end"),
	}
	for most, want := range map[int]string{0: "", 1: "end", 2: "e\nline\nend", 3: "long e\nline\nend", 9: "a\nlong e\nline\nend"} {
		tail := lastLines{most: most}
		for _, e := range all {
			tail.add(e)
		}
		var got strings.Builder
		for _, e := range tail.entries {
			got.Write(e.Message)
		}
		if got.String() != want {
			t.Errorf("last %d lines are %q, want %q", most, got.String(), want)
		}
	}
}

func TestKeyedMutex(t *testing.T) {
	var m keyedMutex
	unlock, err := m.lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := m.lock(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	other()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.lock(ended, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("lock with a cancelled context: %v", err)
	}
	unlock()
	if len(m.locks) != 0 {
		t.Errorf("%d keys are kept", len(m.locks))
	}
}

func TestRemovedLogsAreBounded(t *testing.T) {
	s := newLogStore(Config{StateDir: t.TempDir(), RemovedLogs: 3, RemovedLogsAge: time.Hour, MaxLogBytes: 1 << 20})
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	for _, cid := range []string{"a", "b", "c", "d", "e"} {
		if err := errors.Join(s.create(cid, false), s.retire(cid), s.retire(cid)); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := s.removed()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range kept {
		names = append(names, k.cid)
	}
	if !slices.Equal(names, []string{"e", "d", "c"}) {
		t.Errorf("kept are %v, want the last three, newest first", names)
	}
	if err := s.sweep(time.Now().Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(s.dir, "removed")); err != nil || len(left) != 0 {
		t.Errorf("after two hours %d are left, %v", len(left), err)
	}
}

func TestConfigNamesTheField(t *testing.T) {
	dir := t.TempDir() // absolute, however this system writes that
	good := Config{Address: "/run/x.sock", StateDir: dir, LoggerPath: filepath.Join(dir, "worker")}
	if _, err := good.withDefaults(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Config){
		"Address":        func(c *Config) { c.Address = "" },
		"StateDir":       func(c *Config) { c.StateDir = "here" },
		"LoggerPath":     func(c *Config) { c.LoggerPath = "worker" },
		"Namespace":      func(c *Config) { c.Namespace = "a--b" },
		"RuncPath":       func(c *Config) { c.RuncPath = "runc" },
		"RegistryHosts":  func(c *Config) { c.RegistryHosts = "hosts" },
		"CgroupParent":   func(c *Config) { c.CgroupParent = "shunt" },
		"MaxLogBytes":    func(c *Config) { c.MaxLogBytes = 1 },
		"RemovedLogs":    func(c *Config) { c.RemovedLogs = -1 },
		"RemovedLogsAge": func(c *Config) { c.RemovedLogsAge = -1 },
	} {
		c := good
		change(&c)
		if _, err := c.withDefaults(); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v, want InvalidArgument that names it", field, err)
		}
	}
}
