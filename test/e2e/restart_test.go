package e2e_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestRestartedWorker kills everything that is not a container, and looks
// whether anything was lost: of what ran on, and of what ended meanwhile.
func TestRestartedWorker(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.linux("--ttl", "60s")
	image := f.linuxImage()
	// Each says "ready", waits for SIGTERM, and goes on with what follows.
	keeps := f.begin("keeps", image, `"handle-term"`)
	ends := f.begin("ends", image, `"handle-term","exit","7"`)
	dies := f.begin("dies", image, `"handle-term","oom"`)
	killed := f.begin("killed", image, `"handle-term"`)

	worker.kill()
	f.placer.kill()
	for pid, signal := range map[int]os.Signal{ends: syscall.SIGTERM, dies: syscall.SIGTERM, killed: os.Kill} {
		send(t, pid, signal)
		awaitExit(t, pid)
	}
	mustRun(t, keeps)

	f.startPlacer(f.address())
	worker = f.linux("--ttl", "60s")
	for job, want := range map[string]map[string]string{
		"ends":   {"state": "failed", "outcome.result.exit_code": "7", "outcome.result.exit_reason": "exited"},
		"dies":   {"state": "failed", "outcome.result.exit_code": "137", "outcome.result.exit_reason": "oom_killed"},
		"killed": {"state": "failed", "outcome.result.exit_code": "137", "outcome.result.exit_reason": "signal"},
	} {
		want["node"], want["attempt"], want["starts"] = linuxNode, "1", "1"
		expect(t, "the last word on "+job, f.nats.done(job), want)
	}
	if out := f.nats.logs(linuxNode, "ends"); !strings.Contains(out, "ready\n") || !strings.Contains(out, "term\n") {
		t.Errorf("what ended while nobody was there had said %q, want ready and term", out)
	}
	f.goesOn("keeps", keeps)

	f.killContainerd()
	f.goesOn("keeps", keeps)
	worker.stop() // in good order, and still the container is none of its business
	mustRun(t, keeps)
	f.linux("--ttl", "60s")
	f.goesOn("keeps", keeps)
	send(t, keeps, syscall.SIGTERM)
	expect(t, "the last word on keeps", f.nats.done("keeps"), map[string]string{
		"state": "completed", "node": linuxNode, "attempt": "1", "starts": "1", "outcome.result.exit_code": "0",
	})
	if out := f.nats.logs(linuxNode, "keeps"); !strings.Contains(out, "ready\n") || !strings.Contains(out, "term\n") {
		t.Errorf("it said %q, want ready and term", out)
	}
}

// begin is beginOn the Linux node.
func (f *fleet) begin(job, image, args string) (pid int) {
	f.t.Helper()
	return f.beginOn(linuxNode, job, image, args)
}

// beginOn runs a job, which a node takes, and gives its container's process once
// it has said that it is ready.
func (f *fleet) beginOn(node, job, image, args string) (pid int) {
	f.t.Helper()
	f.nats.publish("shunt.job."+job, fmt.Sprintf(
		`{"v":1,"id":%q,"op":"run","spec":{"image":%q,"args":[%s],"resources":{"memory":33554432}},"retain":"1m"}`, job, image, args))
	eventually(f.t, job+" is ready", func() (bool, string) {
		state := f.nats.request("shunt.node."+node+".state", `{"v":1,"container":"`+job+`-rep-0"}`)
		pid, _ = strconv.Atoi(state.at("pid"))
		if pid == 0 || state.at("state") != "running" {
			return false, state.message + state.String()
		}
		out := f.nats.logs(node, job)
		return strings.Contains(out, "ready\n"), out
	})
	return pid
}

// killContainerd kills the Linux worker's containerd, and waits until that
// worker has another one.
func (f *fleet) killContainerd() {
	f.t.Helper()
	before := containerdPID(f.t, f.state(linuxNode))
	send(f.t, before, os.Kill)
	awaitExit(f.t, before)
	eventually(f.t, "containerd is there again", func() (bool, string) {
		now := containerdPID(f.t, f.state(linuxNode))
		images := f.nats.request("shunt.node.linux-1.images", "")
		return now != before && images.code == "", fmt.Sprintf("pid %d: %s", now, images.message)
	})
}

// goesOn checks that a job's container is the process it was, and that the node
// still answers for it.
func (f *fleet) goesOn(job string, pid int) {
	f.t.Helper()
	mustRun(f.t, pid)
	expect(f.t, "inspect", f.nats.request("shunt.node.linux-1.inspect", `{"v":1,"container":"`+job+`-rep-0"}`).document, map[string]string{
		"container": job + "-rep-0", "job": job, "attempt": "1", "state": "running", "pid": strconv.Itoa(pid), "service": job,
	})
	if out := f.nats.logs(linuxNode, job); !strings.Contains(out, "ready\n") {
		f.t.Errorf("logs are %q, want what %s said before", out, job)
	}
}

func send(t *testing.T, pid int, signal os.Signal) {
	t.Helper()
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(signal)
	}
	if err != nil {
		t.Fatalf("signal %v to %d: %v", signal, pid, err)
	}
}

func mustRun(t *testing.T, pid int) {
	t.Helper()
	if !runs(pid) {
		t.Fatalf("process %d does not run", pid)
	}
}

func awaitExit(t *testing.T, pid int) {
	t.Helper()
	eventually(t, fmt.Sprintf("process %d has ended", pid), func() (bool, string) { return !runs(pid), "it runs" })
}

// runs tells whether a process is there and more than its remains.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}
