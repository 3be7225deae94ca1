package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
)

// TestDelegate rides on one node that is shaped like a Windows one, with a
// delegate that has a real containerd: both kinds of job run side by side, and
// whichever end is killed comes back to what runs.
func TestDelegate(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	d := f.delegate()
	worker := f.windows("--delegate", d.command, "--ttl", "60s")
	f.awaitPlatforms("linux/"+runtime.GOARCH, "windows/amd64")
	linux := f.linuxImage()
	windows := f.push("team/win:1", f.image(toybox.Windows(""), "serve"))

	pid := f.beginOn(windowsNode, "lin", linux, `"handle-term"`)
	f.nats.publish("shunt.job.win", fmt.Sprintf(`{"v":1,"id":"win","op":"run","kind":"service","spec":{"image":%q}}`, windows))
	f.awaitRunning("win", "primary")
	f.awaitRunning("lin", "delegate")

	f.killDelegate(d)
	f.stillThere("lin", pid)
	f.whileTheDelegateIsAway(d, linux)
	f.stillThere("lin", pid)
	expect(t, "what had to wait for it", f.nats.done("later"), map[string]string{
		"state": "completed", "node": windowsNode, "outcome.result.exit_code": "0", "outcome.result.runtime": "delegate",
	})

	worker.kill()
	awaitNoProcess(t, d.argument()) // it leaves with its worker, by itself
	mustRun(t, pid)
	f.windows("--delegate", d.command, "--ttl", "60s")
	f.stillThere("lin", pid)
	send(t, pid, syscall.SIGTERM)
	expect(t, "the last word on lin", f.nats.done("lin"), map[string]string{
		"state": "completed", "node": windowsNode, "attempt": "1", "starts": "1", "outcome.result.exit_code": "0", "outcome.result.runtime": "delegate",
	})
	if out := f.nats.logs(windowsNode, "lin"); !strings.Contains(out, "ready\n") || !strings.Contains(out, "term\n") {
		t.Errorf("it said %q, want ready and term", out)
	}
}

// delegate is the far end of a worker's --delegate.
type delegate struct {
	state   string // directory
	gate    string // a file without which it does not start
	command string
}

// delegate prepares one with a containerd of its own. Another program comes
// first, as wsl.exe does, says something, and leaves it to the delegate.
func (f *fleet) delegate() *delegate {
	f.t.Helper()
	tools, state := testenv.Tools(f.t), f.state("delegate")
	ownContainerd(f.t, state, tools)
	d := &delegate{state: state, gate: filepath.Join(f.dir, "gate")}
	d.open(f.t)
	script := `printf 'w\0s\0l\0:\0 \0h\0m\0\n\0'; test -e "$0" || exit 1; exec "$@"`
	d.command = strings.Join([]string{
		"/bin/sh -c '" + strings.ReplaceAll(script, "'", `'\''`) + "'", d.gate, filepath.Join(testenv.Bin(f.t), "worker"), "delegate",
		"--containerd managed --tools", tools, "--state-dir", state,
	}, " ")
	return d
}

func (d *delegate) open(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(d.gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// argument is what nobody but the delegate is started with.
func (d *delegate) argument() string { return "--state-dir\x00" + d.state + "\x00" }

// pids are the delegate's processes; there is one, or none.
func (d *delegate) pids() (pids []int) {
	for _, found := range processesWith(d.argument()) {
		pid, _ := strconv.Atoi(strings.Split(found, "/")[2])
		pids = append(pids, pid)
	}
	return pids
}

// killDelegate kills the delegate, and waits for the next one.
func (f *fleet) killDelegate(d *delegate) {
	f.t.Helper()
	before := d.pids()
	if len(before) != 1 {
		f.t.Fatalf("the delegates are %v, want one", before)
	}
	send(f.t, before[0], os.Kill)
	eventually(f.t, "another delegate is there", func() (bool, string) {
		now := d.pids()
		return len(now) == 1 && now[0] != before[0], fmt.Sprint(now)
	})
}

// whileTheDelegateIsAway kills it for longer: its platforms leave the heartbeat,
// what it holds is neither there nor not there, and what needs it waits.
func (f *fleet) whileTheDelegateIsAway(d *delegate, image string) {
	f.t.Helper()
	os.Remove(d.gate)
	for _, pid := range d.pids() {
		send(f.t, pid, os.Kill)
	}
	f.awaitPlatforms("windows/amd64")
	if state := f.nats.request("shunt.node.win-1.state", `{"v":1,"container":"lin-rep-0"}`); state.code == "" || !strings.Contains(state.message, "unavailable") {
		f.t.Errorf("the state of what it holds: %s %s %s", state.code, state.message, state)
	}
	f.awaitRunning("win", "primary")
	f.nats.publish("shunt.job.later", fmt.Sprintf(`{"v":1,"id":"later","op":"run","spec":{"image":%q,"args":["true"]}}`, image))
	eventually(f.t, "it waits", func() (bool, string) {
		job := f.nats.job("later")
		return job.at("state") == "pending" && strings.Contains(job.at("reason"), "linux"), job.String()
	})
	d.open(f.t)
	f.awaitPlatforms("linux/"+runtime.GOARCH, "windows/amd64")
}

// awaitPlatforms waits until the Windows node says that it runs these, and no others.
func (f *fleet) awaitPlatforms(want ...string) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("%s runs %v", windowsNode, want), func() (bool, string) {
		nodes := f.nats.request("shunt.placer.nodes", "").document
		for _, n := range nodes.list("nodes") {
			if n.at("node") != windowsNode {
				continue
			}
			var have []string
			for _, p := range n.list("platforms") {
				have = append(have, p.at("os")+"/"+p.at("arch"))
			}
			slices.Sort(have)
			return slices.Equal(have, want), fmt.Sprint(have)
		}
		return false, nodes.String()
	})
}

// awaitRunning waits until the Windows node runs a job with one of its runtimes.
func (f *fleet) awaitRunning(job, with string) {
	f.t.Helper()
	eventually(f.t, job+" runs with the "+with+" runtime", func() (bool, string) {
		found := f.nats.request("shunt.node.win-1.inspect", `{"v":1,"container":"`+job+`-rep-0"}`)
		return found.at("state") == "running" && found.at("runtime") == with, found.message + found.String()
	})
}

// stillThere waits until the Windows node answers for a container again, which is
// the one it was.
func (f *fleet) stillThere(job string, pid int) {
	f.t.Helper()
	mustRun(f.t, pid)
	f.awaitRunning(job, "delegate")
	expect(f.t, "inspect", f.nats.request("shunt.node.win-1.inspect", `{"v":1,"container":"`+job+`-rep-0"}`).document, map[string]string{
		"job": job, "attempt": "1", "state": "running", "pid": strconv.Itoa(pid),
	})
	if out := f.nats.logs(windowsNode, job); !strings.Contains(out, "ready\n") {
		f.t.Errorf("logs are %q, want what %s said before", out, job)
	}
}
