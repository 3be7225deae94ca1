package containerd_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
)

// traces counts what containers leave: records, their snapshots, and logs.
func (b *bench) traces() (records, views, logs int) {
	b.Helper()
	c, err := client.New(b.cfg.Address, client.WithDefaultNamespace(b.cfg.Namespace))
	b.must(err)
	defer c.Close()
	list, err := c.ContainerService().List(b.ctx)
	b.must(err)
	b.must(c.SnapshotService(containerd.DefaultSnapshotter).Walk(b.ctx, func(_ context.Context, i snapshots.Info) error {
		if i.Kind != snapshots.KindCommitted {
			views++
		}
		return nil
	}))
	dirs, err := os.ReadDir(filepath.Join(b.cfg.StateDir, "logs", "live"))
	b.must(err)
	return len(list), views, len(dirs)
}

func TestFailedCreateLeavesNothing(t *testing.T) {
	b := newBench(t)
	for name, change := range map[string]func(*messages.Spec){
		"missing image":  func(s *messages.Spec) { s.Image = b.reg.Addr() + "/nothing:1" },
		"unknown user":   func(s *messages.Spec) { s.User = "nobody-here" },
		"no such ulimit": func(s *messages.Spec) { s.Ulimits = map[string]messages.Ulimit{"nofiles": {}} },
		"no such cap":    func(s *messages.Spec) { s.CapAdd = []string{"EVERYTHING"} },
	} {
		spec := b.spec("true")
		change(spec)
		if err := b.rt.Create(b.ctx, b.id(), spec, runtime.CreateOptions{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// The log is made last: a file in its place fails all that came before.
	id := b.create(b.spec("true"))
	b.must(b.rt.Remove(b.ctx, id, runtime.RemoveOptions{}))
	live := filepath.Join(b.cfg.StateDir, "logs", "live")
	b.must(os.Remove(live))
	b.must(os.WriteFile(live, nil, 0o600))
	if err := b.rt.Create(b.ctx, id, b.spec("true"), runtime.CreateOptions{}); err == nil {
		t.Error("create without a place for its log: no error")
	}
	b.must(os.Remove(live))
	b.must(os.Mkdir(live, 0o700))
	if records, views, logs := b.traces(); records+views+logs != 0 {
		t.Errorf("left: %d records, %d snapshots, %d logs", records, views, logs)
	}
}

func TestConcurrentCreateHasOneWinner(t *testing.T) {
	b := newBench(t)
	id := b.id()
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = b.rt.Create(b.ctx, id, b.spec("echo", "hello"), runtime.CreateOptions{}) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errdefs.IsAlreadyExists(err) {
			t.Errorf("a loser's error is %v, want AlreadyExists", err)
		}
	}
	if won != 1 {
		t.Fatalf("%d creates won, want 1", won)
	}
	b.must(b.rt.Start(b.ctx, id))
	if out := b.wait(id); out.ExitCode != 0 || b.output(id, runtime.Stdout) != "hello\n" {
		t.Errorf("the winner's container: %+v", out)
	}
}

func TestUnsupportedFieldIsNamed(t *testing.T) {
	b := newBench(t)
	spec := b.spec("true")
	spec.Resources.GPU = 1
	err := b.rt.Create(b.ctx, b.id(), spec, runtime.CreateOptions{})
	if !errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), "spec.resources.gpu") {
		t.Errorf("a gpu: %v, want NotImplemented that names the field", err)
	}
}

func TestSpecReachesTheProgram(t *testing.T) {
	b := newBench(t)
	image := b.push("dressed:1", toybox.WithEntrypoint("args"), toybox.WithCmd("from", "image"),
		toybox.WithEnv("A=image", "B=image"), toybox.WithWorkingDir("/bin"), toybox.WithUser("toy"))
	_, err := b.rt.Pull(b.ctx, image, runtime.PullOptions{})
	b.must(err)
	for name, c := range map[string]struct {
		spec messages.Spec
		want string
	}{
		"the image's own":       {messages.Spec{}, "\"from\"\n\"image\"\n"},
		"own args":              {messages.Spec{Args: []string{"mine"}}, "\"mine\"\n"},
		"own entrypoint":        {messages.Spec{Entrypoint: []string{"echo"}}, "\n"},
		"environment":           {messages.Spec{Entrypoint: []string{"env"}, Env: map[string]string{"B": "spec"}}, "B=spec"},
		"environment of image":  {messages.Spec{Entrypoint: []string{"env"}}, "A=image"},
		"the image's directory": {messages.Spec{Entrypoint: []string{"pwd"}}, "/bin\n"},
		"own directory":         {messages.Spec{Entrypoint: []string{"pwd"}, Workdir: "/etc"}, "/etc\n"},
		"the image's user":      {messages.Spec{Entrypoint: []string{"id"}}, "1000"},
		"own user":              {messages.Spec{Entrypoint: []string{"id"}, User: "1234:99"}, "1234"},
		"own host name":         {messages.Spec{Entrypoint: []string{"hostname"}, Hostname: "box"}, "box\n"},
	} {
		c.spec.Image = image
		if got, out := b.run(&c.spec); out.ExitCode != 0 || !strings.Contains(got, c.want) {
			t.Errorf("%s: output %q, outcome %+v, want %q", name, got, out, c.want)
		}
	}
}

func TestReadOnlyRoot(t *testing.T) {
	b := newBench(t)
	spec := b.spec("touch", "/new")
	spec.ReadOnly = true
	if _, out := b.run(spec); out.ExitCode == 0 {
		t.Error("a read-only root was written to")
	}
}

func TestStopKillsWhatIgnoresTheSignal(t *testing.T) {
	b := newBench(t)
	id := b.start(b.spec("ignore-term"))
	b.printed(id, "ready")
	b.must(b.rt.Stop(b.ctx, id, 50*time.Millisecond))
	if out := b.wait(id); out.ExitCode != 137 || out.Reason != messages.ExitSignal || out.Signal != 9 {
		t.Errorf("outcome is %+v, want 137 by signal 9", out)
	}
	id = b.start(b.spec("handle-term"))
	b.printed(id, "ready")
	b.must(b.rt.Stop(b.ctx, id, -1))
	if out := b.wait(id); out.ExitCode != 0 || b.output(id, runtime.Stdout) != "ready\nterm\n" {
		t.Errorf("outcome is %+v", out)
	}
}

func TestStartOfAMissingProgram(t *testing.T) {
	b := newBench(t)
	id := b.create(b.spec("no-such-program"))
	if err := b.rt.Start(b.ctx, id); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "spec.args") {
		t.Errorf("start: %v, want InvalidArgument that names spec.args", err)
	}
	b.reopen()
	if s, err := b.rt.State(b.ctx, id); err != nil || s.Phase != runtime.PhaseFailed || !strings.Contains(s.Reason, "no-such-program") {
		t.Errorf("state is %+v, %v, want failed with the reason", s, err)
	}
	if out := b.wait(id); out.Reason != messages.ExitRuntimeError {
		t.Errorf("outcome is %+v, want runtime_error", out)
	}
}

func TestOtherPlatformIsAVerdict(t *testing.T) {
	b := newBench(t)
	win, err := toybox.Image("", toybox.Windows("10.0.20348.2762"))
	b.must(err)
	index, err := toybox.Index(win)
	b.must(err)
	ref, err := b.reg.Push(b.ctx, "win:1", index)
	b.must(err)
	_, err = b.rt.Pull(b.ctx, ref, runtime.PullOptions{})
	if v, ok := errors.AsType[*runtime.RouteToPeerError](err); !ok || v.RequiredOS != messages.Windows || v.RequiredArch != "amd64" {
		t.Errorf("pull: %v, want a verdict for windows/amd64", err)
	}
	spec := b.spec("true")
	spec.Platform = &messages.Platform{OS: messages.Windows}
	err = b.rt.Create(b.ctx, b.id(), spec, runtime.CreateOptions{})
	if v, ok := errors.AsType[*runtime.RouteToPeerError](err); !ok || v.RequiredOS != messages.Windows {
		t.Errorf("create: %v, want a verdict for windows", err)
	}
}
