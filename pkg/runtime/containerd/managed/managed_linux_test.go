package managed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
)

func TestMissingToolIsNamed(t *testing.T) {
	dir := t.TempDir()
	for _, program := range programs {
		_, _, err := findTools(dir)
		if !errdefs.IsNotFound(err) || !strings.Contains(err.Error(), program+" is not in") || !strings.Contains(err.Error(), "make tools") {
			t.Errorf("without %s: %v, want NotFound that names it and the way out", program, err)
		}
		if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, path, err := findTools(dir)
	if err != nil || program != filepath.Join(dir, "containerd") || !strings.HasPrefix(path, dir) {
		t.Errorf("found %s, PATH %s, %v", program, path, err)
	}
}

func TestSocketPathIsShort(t *testing.T) {
	deep := newLayout("/" + strings.Repeat("a-long-name/", 40))
	if len(deep.socket)+len(".ttrpc") > 107 {
		t.Errorf("the socket %s is too long", deep.socket)
	}
	if other := newLayout("/elsewhere"); other.run == deep.run {
		t.Errorf("two state directories share %s", other.run)
	}
}

// A pid file is believed only of the very process that it was written for.
func TestPIDFileOfAnotherProcess(t *testing.T) {
	sleeper := exec.Command("sleep", "3600")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	id, ok := identify(sleeper.Process.Pid)
	if !ok {
		t.Fatal("a process that runs is not identified")
	}
	file := filepath.Join(t.TempDir(), "pid")
	if err := id.record(file); err != nil {
		t.Fatal(err)
	}
	if got, ok := recorded(file); !ok || got != id {
		t.Errorf("recorded: %+v, %v", got, ok)
	}
	reused := id
	reused.Start++
	if err := reused.record(file); err != nil {
		t.Fatal(err)
	}
	if _, ok := recorded(file); ok {
		t.Error("a process with a used pid is believed")
	}
	if err := sleeper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = sleeper.Wait() // killed
	if id.alive() {
		t.Error("a dead process is alive")
	}
}

func TestConfigNamesTheField(t *testing.T) {
	if _, err := Start(t.Context(), Config{StateDir: "here"}); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "StateDir") {
		t.Errorf("start: %v, want InvalidArgument that names StateDir", err)
	}
}
