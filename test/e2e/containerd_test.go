package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
)

// ownContainerd sees to it that nothing of a worker's managed containerd, which
// outlives the worker by design, outlives the test.
func ownContainerd(t *testing.T, state, tools string) {
	t.Helper()
	t.Cleanup(func() {
		if _, err := os.Stat(filepath.Join(state, "containerd")); err != nil {
			return // it was never started, or ended by another cleanup
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c, err := managed.Start(ctx, managed.Config{StateDir: state, Tools: tools})
		if err != nil {
			t.Errorf("take the managed containerd up to end it: %v", err)
			return
		}
		if err := removeContainers(ctx, t, c.Address(), filepath.Join(state, "containers")); err != nil {
			t.Errorf("remove what the test left running: %v", err)
		}
		if err := c.Shutdown(ctx); err != nil {
			t.Errorf("end the managed containerd: %v", err)
		}
		awaitNoProcess(t, c.Address())
		awaitNoProcess(t, state)
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(state, "containerd", "containerd.log"))
			t.Logf("---- containerd of %s\n%s", state, log)
		}
		os.RemoveAll(filepath.Dir(c.Address()))
		os.RemoveAll(filepath.Join(state, "containerd"))
	})
}

// removeContainers removes all containers of a containerd, with their shims.
func removeContainers(ctx context.Context, t *testing.T, address, state string) error {
	rt, err := containerd.New(ctx, containerd.Config{
		Address: address, StateDir: state, LoggerPath: filepath.Join(testenv.Bin(t), "worker"),
		CNIPlugins: []string{filepath.Join(testenv.Tools(t), "cni")},
	})
	if err != nil {
		return err
	}
	defer rt.Close()
	held, err := rt.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range held {
		if err := rt.Remove(ctx, c.ID, runtime.RemoveOptions{Force: true, Volumes: true}); err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
	}
	return rt.Discard(ctx)
}

// awaitNoProcess waits until no process has the text in its command line: no
// daemon, no shim, no logger.
func awaitNoProcess(t *testing.T, text string) {
	t.Helper()
	var left []string
	for late := time.Now().Add(patience); ; {
		if left = processesWith(text); len(left) == 0 {
			return
		}
		if time.Now().After(late) {
			t.Errorf("these processes are left of %s:\n%s", text, strings.Join(left, "\n"))
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func processesWith(text string) []string {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(line), text) {
			found = append(found, file+": "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

// containerdPID is the process of a worker's managed containerd.
func containerdPID(t *testing.T, state string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(state, "containerd", "containerd.pid"))
	if err != nil {
		t.Fatal(err)
	}
	var id struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal(data, &id); err != nil || id.PID <= 1 {
		t.Fatalf("the pid file says %s: %v", data, err)
	}
	return id.PID
}
