package containerd_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// statusOf runs a container that prints a field of its /proc/self/status.
func (b *bench) statusOf(field string, change func(*messages.Spec)) string {
	b.Helper()
	spec := b.spec("cat", "/proc/self/status")
	change(spec)
	got, out := b.run(spec)
	for line := range strings.Lines(got) {
		if name, value, _ := strings.Cut(line, ":"); name == field {
			return strings.TrimSpace(value)
		}
	}
	b.Fatalf("no %s in %q, %+v", field, got, out)
	return ""
}

func TestDefaultProfiles(t *testing.T) {
	b := newBench(t)
	d, err := b.rt.Describe(b.ctx)
	b.must(err)
	filtered, unfiltered := "2", "0"
	if warnings := strings.Join(d.Warnings, "\n"); strings.Contains(warnings, "seccomp") {
		if os.Getenv("CI") != "" {
			t.Fatalf("in CI runc has seccomp; it says %s", warnings)
		}
		filtered = unfiltered // as the warning says
	}
	for name, c := range map[string]struct {
		field, want string
		change      func(*messages.Spec)
	}{
		"seccomp":               {"Seccomp", filtered, func(*messages.Spec) {}},
		"seccomp, privileged":   {"Seccomp", unfiltered, func(s *messages.Spec) { s.Privileged = true }},
		"new privileges":        {"NoNewPrivs", "0", func(*messages.Spec) {}},
		"no new privileges":     {"NoNewPrivs", "1", func(s *messages.Spec) { s.NoNewPrivileges = true }},
		"capabilities":          {"CapEff", "00000000a80425fb", func(*messages.Spec) {}},
		"one capability":        {"CapEff", "0000000000000400", func(s *messages.Spec) { s.CapDrop, s.CapAdd = []string{"ALL"}, []string{"NET_BIND_SERVICE"} }},
		"privileged less a few": {"CapBnd", without(t, 12, 21), func(s *messages.Spec) { s.Privileged, s.CapDrop = true, []string{"NET_ADMIN", "SYS_ADMIN"} }},
	} {
		if got := b.statusOf(c.field, c.change); got != c.want {
			t.Errorf("%s: %s is %s, want %s", name, c.field, got, c.want)
		}
	}
}

// without is this process's capabilities but for some, as the kernel shows them.
func without(t *testing.T, capabilities ...int) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "CapEff:\t")
	digits, _, _ := strings.Cut(rest, "\n")
	all, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range capabilities {
		all &^= 1 << c
	}
	text := strconv.FormatUint(all, 16)
	return strings.Repeat("0", 16-len(text)) + text
}

func TestDevices(t *testing.T) {
	b := newBench(t)
	device := someDevice(t)
	link := filepath.Join(t.TempDir(), "link")
	b.must(os.Symlink(device, link))
	for text, may := range map[string]struct{ read, write bool }{
		device + ":/dev/other":   {true, true},
		device + ":/dev/other:r": {true, false},
		device + ":/dev/other:w": {false, true},
		link + ":/dev/other:rwm": {true, true},
	} {
		for program, may := range map[string]bool{"cat": may.read, "touch": may.write} {
			spec := b.spec(program, "/dev/other")
			spec.Devices = []string{text}
			if said := b.complaint(spec); strings.Contains(said, "open /dev/other") == may {
				t.Errorf("%s: %s says %q, want that it may open it: %v", text, program, said, may)
			}
		}
	}
	b.wantDevice(device, func(s *messages.Spec) { s.Devices = []string{device} })
	for device, class := range map[string]func(error) bool{"/dev/no-such": errdefs.IsNotFound, "/etc/passwd": errdefs.IsInvalidArgument} {
		spec := b.spec("true")
		spec.Devices = []string{"/dev/null", device}
		err := b.rt.Create(b.ctx, b.id(), spec, runtime.CreateOptions{})
		if !class(err) || !strings.Contains(err.Error(), "spec.devices[1]") || !strings.Contains(err.Error(), device) {
			t.Errorf("%s: %v, want an error of its class that names field and device", device, err)
		}
	}
}

func TestPrivilegedHasTheDevices(t *testing.T) {
	b := newBench(t)
	spec := b.spec("cat", "/proc/self/mountinfo")
	spec.Privileged = true
	got, _ := b.run(spec)
	for line := range strings.Lines(got) {
		fields := strings.Fields(line)
		if fields[4] == "/sys" && !strings.HasPrefix(fields[5], "rw") {
			t.Errorf("/sys is mounted %s, want rw", fields[5])
		}
	}
	b.wantDevice(someDevice(t), func(s *messages.Spec) { s.Privileged = true })
}

// someDevice is a device that containers have not unless they are given it, and
// whose reading fails at once.
func someDevice(t *testing.T) string {
	t.Helper()
	for _, device := range []string{"/dev/fuse", "/dev/loop-control"} {
		if _, err := os.Stat(device); err == nil {
			return device
		}
	}
	t.Fatal("this machine has neither /dev/fuse nor /dev/loop-control")
	return ""
}

// complaint is what a program that is run to its end prints to stderr.
func (b *bench) complaint(spec *messages.Spec) string {
	b.Helper()
	id := b.start(spec)
	b.wait(id)
	return b.output(id, runtime.Stderr)
}

// wantDevice wants a device to be there with a change of the spec alone.
func (b *bench) wantDevice(path string, change func(*messages.Spec)) {
	b.Helper()
	spec := b.spec("cat", path)
	if said := b.complaint(spec); !strings.Contains(said, "no such file") {
		b.Errorf("reading %s, which is not there, says %q", path, said)
	}
	change(spec)
	if said := b.complaint(spec); strings.Contains(said, "open "+path) {
		b.Errorf("reading %s, which is there, says %q", path, said)
	}
}

func TestSysctls(t *testing.T) {
	b := newBench(t)
	spec := b.spec("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/kernel/msgmax")
	spec.Sysctls = map[string]string{"net.ipv4.ip_unprivileged_port_start": "81", "kernel.msgmax": "4096"}
	for _, network := range []string{messages.NetworkNone, messages.NetworkDefault} {
		spec.Network = network
		if got, out := b.run(spec); got != "81\n4096\n" {
			t.Errorf("network %s: %q, %+v", network, got, out)
		}
	}
}

func TestStdinStaysOpen(t *testing.T) {
	b := newBench(t)
	spec := b.spec("cat")
	if _, out := b.run(spec); out.ExitCode != 0 {
		t.Errorf("cat without input: %+v", out)
	}
	for name, user := range map[string]string{"root": "", "another user": "1000"} {
		spec := b.spec("sh", "-c", "echo ready; cat")
		spec.Stdin, spec.User = true, user
		id := b.start(spec)
		b.printed(id, "ready")
		b.reopen() // the worker ends; the input does not
		input, err := os.OpenFile(b.stdin(id), os.O_WRONLY, 0)
		b.must(err)
		_, err = input.WriteString("hello\n")
		b.must(err)
		b.must(input.Close())
		b.printed(id, "hello")
		if s, err := b.rt.State(b.ctx, id); err != nil || s.Phase != runtime.PhaseRunning {
			t.Errorf("%s: after the writer has gone the state is %+v, %v, want running", name, s, err)
		}
		b.must(b.rt.Stop(context.WithoutCancel(b.ctx), id, 0))
	}
}

// stdin is the FIFO of a container.
func (b *bench) stdin(id runtime.ContainerID) string {
	b.Helper()
	found, err := filepath.Glob(filepath.Join(b.cfg.StateDir, "logs", "live", id.Service+"-*", "stdin"))
	b.must(err)
	if len(found) != 1 {
		b.Fatalf("FIFOs of %s: %v", id, found)
	}
	return found[0]
}
