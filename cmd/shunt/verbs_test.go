package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// contractVerbs are the verbs of the contract's command line; auth, top and bench
// come later.
const contractVerbs = "submit run apply delete jobs get explain wait logs exec start stop restart kill rm rename inspect stats " +
	"pull images tag rmi prune nodes peers info drain undrain forget cancel retry events dev demo sim completion"

func TestEveryVerbOfTheContractIsThere(t *testing.T) {
	root := (&app{}).command()
	have := map[string]bool{}
	for _, cmd := range root.Commands() {
		have[cmd.Name()] = true
		if cmd.Short == "" || cmd.GroupID == "" && cmd.Name() != "completion" {
			t.Errorf("%s has no help, or no group", cmd.Name())
		}
	}
	for _, verb := range strings.Fields(contractVerbs) {
		if !have[verb] {
			t.Errorf("there is no verb %s", verb)
		}
		delete(have, verb)
	}
	for verb := range have {
		t.Errorf("%s is no verb of the contract", verb)
	}
}

// serve starts a service and waits until it runs.
func (p *terminal) serve(id, service string, more ...string) {
	p.Helper()
	args := append([]string{"submit", p.image, "--id", id, "--kind", "service", "--service", service}, more...)
	p.shunt(exitDone, append(args, "--", "serve")...)
	p.shunt(exitDone, "wait", "--running", id)
}

func TestAContainerFromStartToEnd(t *testing.T) {
	p := sitDown(t)
	p.serve("w1", "web")
	on := []string{"--node", "linux-1"}
	out, _ := p.shunt(exitDone, "inspect", "web-rep-0")
	p.wants(out, "w1", "running", "linux-1", p.image)
	out, _ = p.shunt(exitDone, "inspect", "w1", "--output", "json") // by its job
	var reply messages.InspectReply
	if err := json.Unmarshal([]byte(out), &reply); err != nil || reply.Container != "web-rep-0" {
		t.Errorf("%v in %s", err, out)
	}
	out, errOut := p.shunt(exitDone, "exec", "web", "--", "echo", "inside") // by its service
	if out != "inside\n" {
		t.Errorf("exec says %q, %q", out, errOut)
	}
	_, errOut = p.shunt(exitJobFailed, "exec", "web-rep-0", "--", "exit", "7")
	p.wants(errOut, "exit code 7")
	out, _ = p.typing("typed\n", exitDone, "exec", "-i", "web-rep-0", "--output", "json", "--", "true")
	p.wants(out, `"exit_code":0`)
	w := p.begin("exec", "web-rep-0", "--", "sh", "-c", "echo begun; sleep 3600")
	w.said("begun")
	w.stop() // as Ctrl-C does
	w.ends(exitTimedOut)
	w.said("shunt: given up, and the program is ended")
	_, errOut = p.shunt(exitBadUse, "exec", "-it", "web-rep-0", "--", "sh")
	p.wants(errOut, "-t wants a terminal")

	out, _ = p.shunt(exitDone, append([]string{"rename", "web-rep-0", "front"}, on...)...)
	p.wants(out, "web-rep-0: done")
	out, _ = p.shunt(exitDone, append([]string{"inspect", "front"}, on...)...)
	p.wants(out, "web-rep-0")
	out, _ = p.shunt(exitDone, append([]string{"stop", "web-rep-0"}, on...)...)
	p.wants(out, "web-rep-0", "exit code")
	_, errOut = p.shunt(exitJobFailed, append([]string{"stop", "web-rep-0", "--grace", "1s"}, on...)...)
	p.wants(errOut, "not_found", "next:")
	out, _ = p.shunt(exitDone, append([]string{"rm", "web-rep-0", "--force"}, on...)...)
	p.wants(out, "nothing to change")
	_, errOut = p.shunt(exitBadUse, append([]string{"kill", "web-rep-0", "--signal", "NONSENSE"}, on...)...)
	p.wants(errOut, "args.signal", "NONSENSE")
	_, errOut = p.shunt(exitBadUse, "inspect", "nothing-rep-0")
	p.wants(errOut, "nothing-rep-0", "next:", "shunt jobs")
}

func TestStatsOfAContainer(t *testing.T) {
	p := sitDown(t)
	p.serve("w1", "web")
	_, errOut := p.shunt(exitBadUse, "stats", "web-rep-0") // there is nothing to measure in memory
	p.wants(errOut, "not_implemented")
}

func TestImagesOfANode(t *testing.T) {
	p := sitDown(t)
	out, _ := p.shunt(exitDone, "pull", p.image, "--node", "linux-1", "--policy", "always")
	p.wants(out, "linux-1: sha256:")
	name := strings.Replace(p.image, "hello:1", "hello:2", 1)
	p.shunt(exitDone, "tag", p.image, name, "--node", "linux-1")
	out, _ = p.shunt(exitDone, "images", "linux-1")
	p.wants(out, "IMAGE", p.image, name, "linux/")
	p.shunt(exitDone, "rmi", name, "--node", "linux-1")
	out, _ = p.shunt(exitDone, "prune", "--node", "linux-1")
	p.wants(out, "linux-1: deleted "+p.image)
	out, _ = p.shunt(exitDone, "images", "linux-1", "--output", "json")
	if out != "[]\n" {
		t.Errorf("images are left: %s", out)
	}
	_, errOut := p.shunt(exitBadUse, "pull", p.image)
	p.wants(errOut, `"node"`)
}

func TestTheFleetItself(t *testing.T) {
	p := sitDown(t)
	out, _ := p.shunt(exitDone, "info")
	p.wants(out, "placer-1", "live jobs", "none")
	out, _ = p.shunt(exitDone, "info", "win-1")
	p.wants(out, "win-1", "memory", "windows(10.0.20348)/amd64")
	p.eventually(func() bool {
		out, _ := p.shunt(exitDone, "peers", "win-1")
		return strings.Contains(out, "linux-1")
	})
	out, _ = p.shunt(exitDone, "nodes", "--platform", "windows/amd64")
	if strings.Contains(out, "linux-1") || !strings.Contains(out, "win-1") {
		t.Errorf("nodes that run Windows:\n%s", out)
	}
	out, _ = p.shunt(exitDone, "drain", "linux-1", "--wait", "5s")
	p.wants(out, "linux-1: draining, 0 left")
	p.shunt(exitDone, "submit", p.image, "--id", "w")
	out, _ = p.shunt(exitDone, "undrain", "linux-1")
	p.wants(out, "takes work")
	out, _ = p.shunt(exitDone, "wait", "w")
	p.wants(out, "w: completed, exit code 0")
	_, errOut := p.shunt(exitBadUse, "forget", "linux-1")
	p.wants(errOut, "failed_precondition")
	_, errOut = p.shunt(exitBadUse, "drain", "nobody")
	p.wants(errOut, "not_found", "next:", "shunt nodes")
}

// eventually waits for a condition.
func (p *terminal) eventually(holds func() bool) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	for !holds() {
		if err := pause(ctx); err != nil {
			p.Fatal("it never holds")
		}
	}
}

func TestJobsAreListedCancelledAndRetried(t *testing.T) {
	p := sitDown(t)
	p.shunt(exitDone, "submit", p.image, "--id", "a", "--require", "disk=ssd")
	p.shunt(exitDone, "submit", p.image, "--id", "b", "--service", "other", "--require", "disk=ssd")
	p.eventually(func() bool {
		out, _ := p.shunt(exitDone, "jobs")
		return strings.Contains(out, "disk is hdd") && strings.Contains(out, "b ")
	})
	out, _ := p.shunt(exitDone, "jobs", "--service", "other", "--output", "json")
	var records []messages.Record
	if err := json.Unmarshal([]byte(out), &records); err != nil || len(records) != 1 || records[0].Job.ID != "b" {
		t.Errorf("%v in %s", err, out)
	}
	out, _ = p.shunt(exitDone, "cancel", "a", "b", "--reason", "enough")
	p.wants(out, "a: cancelled", "b: cancelled")
	out, _ = p.shunt(exitDone, "jobs", "--state", "cancelled")
	p.wants(out, "a", "b", "enough")
	out, _ = p.shunt(exitDone, "retry", "a")
	p.wants(out, "a: pending")
	_, errOut := p.shunt(exitBadUse, "cancel", "a", "nothing")
	p.wants(errOut, "job nothing", "not_found")
	p.shunt(exitDone, "retry", "b")
	_, errOut = p.shunt(exitTimedOut, "--timeout", "300ms", "wait", "--running", "b")
	p.wants(errOut, "job b is pending", "disk is hdd", "next:")
	_, errOut = p.shunt(exitTimedOut, "--timeout", "300ms", "get", "-w", "b")
	p.wants(errOut, "watch job b: the time is over", "next:")
	out, _ = p.shunt(exitBadUse, "jobs", "--state", "wrong")
	if out != "" {
		t.Errorf("a list that there is not has a head: %s", out)
	}
}

// watching runs a verb that goes on, until stop is called; said waits for what
// it prints.
type watching struct {
	p    *terminal
	out  *lockedBuffer
	stop context.CancelFunc
	code chan int
}

func (p *terminal) begin(args ...string) *watching {
	ctx, cancel := context.WithCancel(p.Context())
	w := &watching{p: p, out: &lockedBuffer{}, stop: cancel, code: make(chan int, 1)}
	args = append([]string{"--nats", p.fleet.placer.URL}, args...)
	go func() { w.code <- run(ctx, args, strings.NewReader(""), w.out, w.out) }()
	p.Cleanup(cancel)
	return w
}

func (w *watching) said(text string) {
	w.p.Helper()
	w.p.eventually(func() bool { return strings.Contains(w.out.String(), text) })
}

func (w *watching) ends(code int) {
	w.p.Helper()
	if got := <-w.code; got != code {
		w.p.Errorf("it ends with %d, want %d:\n%s", got, code, w.out)
	}
}

func TestWatching(t *testing.T) {
	p := sitDown(t)
	events := p.begin("events", "--kind", "exited,node_draining", "--node", "linux-1")
	jobs := p.begin("jobs", "-w", "--output", "json")
	one := p.begin("get", "-w", "seen")
	p.eventually(func() bool { // whoever watches may only just have begun
		p.shunt(exitDone, "drain", "linux-1")
		return strings.Contains(events.out.String(), "node_draining")
	})
	p.shunt(exitDone, "undrain", "linux-1")
	p.shunt(exitDone, "submit", p.image, "--id", "seen", "--wait")
	one.said("completed")
	one.ends(exitDone)
	events.said("exited")
	jobs.said(`"state":"completed"`)
	p.wants(one.out.String(), `no job "seen" is known yet`)
	events.stop()
	jobs.stop()
	events.ends(exitDone)
	jobs.ends(exitDone)
}

func TestRun(t *testing.T) {
	p := sitDown(t)
	out, errOut := p.shunt(exitDone, "run", p.image, "--id", "r1")
	if out != "hello\nand goodbye\n" {
		t.Errorf("it says %q, %q", out, errOut)
	}
	p.wants(errOut, "job r1", "on linux-1")
	out, errOut = p.shunt(exitJobFailed, "run", p.image, "-e", "A=1", "--", "sh", "-c", "echo oh; exit 3")
	if out != "oh\n" {
		t.Errorf("it says %q", out)
	}
	p.wants(errOut, "is failed, exit code 3")
	out, _ = p.shunt(exitDone, "run", p.image, "--id", "r2", "--output", "json")
	var rec messages.Record
	if err := json.Unmarshal([]byte(out), &rec); err != nil || rec.Job.ID != "r2" {
		t.Errorf("%v in %s", err, out)
	}

	_, errOut = p.shunt(exitBadUse, "run", p.image, "--id", "r2", "--", "echo", "another job under that id")
	p.wants(errOut, "id_conflict", "next:")

	w := p.begin("run", p.image, "--id", "r3", "--", "sh", "-c", "echo begun; sleep 3600")
	w.said("begun")
	w.stop() // as Ctrl-C does
	w.ends(exitJobFailed)
	w.said("job r3 is cancelled")

	_, errOut = p.shunt(exitTimedOut, "run", "--timeout", "300ms", p.image, "--require", "disk=ssd")
	p.wants(errOut, "pending: no node can take it")
}

func TestLogsOfSeveralReplicas(t *testing.T) {
	p := sitDown(t)
	var jobs bytes.Buffer
	for _, replica := range []string{"0", "1"} {
		jobs.WriteString("---\n{op: run, id: w" + replica + ", service: web, kind: service, replica: " + replica + ", spec: {image: " + p.image +
			", entrypoint: [sh, -c, 'echo replica " + replica + "; sleep 3600']}}\n")
	}
	p.typing(jobs.String(), exitDone, "submit", "-f", "-")
	p.shunt(exitDone, "wait", "--running", "w0", "w1")
	w := p.begin("logs", "-f", "--service", "web")
	w.said("web-rep-0 | replica 0\n")
	w.said("web-rep-1 | replica 1\n")
	w.stop()
	w.ends(exitDone)
	_, errOut := p.shunt(exitBadUse, "logs")
	p.wants(errOut, "--service")
}

func TestManyJobsFromFiles(t *testing.T) {
	p := sitDown(t)
	job := `{"id":"%","op":"run","spec":{"image":"` + p.image + `"}}`
	two := strings.ReplaceAll(job, "%", "one") + "\n" + strings.ReplaceAll(job, "%", "two")
	out, _ := p.typing(two, exitDone, "submit", "-f", "-", "--wait")
	p.wants(out, "one: completed", "two: completed")
	out, _ = p.typing("- {id: three, op: run, spec: {image: "+p.image+"}}\n- {id: four, op: run, spec: {image: x y}}\n", exitBadUse, "submit", "-f", "-")
	if out != "" {
		t.Errorf("with a bad one among them, something is submitted: %s", out)
	}
	for file, says := range map[string]string{
		"- {id: three, op: start, container: x}\n- {id: 4, op: start}\n":          "-:2: malformed: id: ",
		"---\nid: five\nop: run\n---\nid: six\nop: run\nspec: {imgae: x}\n":       "-:2: invalid_argument: spec: is missing",
		"id: six\nop: run\nspec: {image: x}\nplicy: {}\n":                         "-:1: plicy: a Job has no such field",
		strings.ReplaceAll(job, "%", "7") + "\n\n{\"id\":\"eight\",\"op\":\"r\"}": "-:3: invalid_argument: op: ",
		shop: "`shunt apply -f` takes it",
	} {
		_, errOut := p.typing(file, exitBadUse, "submit", "-f", "-")
		p.wants(errOut, says)
	}
	_, errOut := p.typing(two, exitBadUse, "submit", "-f", "-", "--id", "x")
	p.wants(errOut, "2 jobs")
}

func TestExitCodes(t *testing.T) {
	for want, errs := range map[int][]error{
		exitDone:        {nil},
		exitJobFailed:   {errJobFailed, &client.OpError{Err: &messages.Error{Code: messages.CodeNotFound}}},
		exitBadUse:      {errors.New("x"), &messages.Error{Code: messages.CodeNotFound}},
		exitUnreachable: {client.ErrUnreachable, &messages.Error{Code: messages.CodeUnavailable}, &serverError{client.ErrUnreachable}},
		exitTimedOut:    {context.DeadlineExceeded, context.Canceled, &messages.Error{Code: messages.CodeDeadlineExceeded}},
	} {
		for _, err := range errs {
			if got := exitCode(err); got != want {
				t.Errorf("%v: %d, want %d", err, got, want)
			}
		}
	}
}

func TestCompletionKnowsNames(t *testing.T) {
	p := sitDown(t)
	p.serve("w1", "web")
	t.Setenv("SHUNT_NATS", p.fleet.placer.URL) // what stands before __complete is lost
	complete := func(args ...string) string { return completed(t, args...) }
	p.wants(complete("drain", ""), "linux-1", "win-1")
	p.wants(complete("get", "w"), "w1")
	p.wants(complete("inspect", ""), "web-rep-0")
	p.wants(complete("submit", "--node", ""), "linux-1")
	p.wants(complete("pull", "x", "--node", "linux-1,"), "linux-1,win-1")
	p.wants(complete("jobs", "--state", "c"), "cancelled")
	p.wants(complete("drain", "win"), "win-1")
	p.wants(complete("inspect", "web-rep-"), "web-rep-0")
	for args, not := range map[string]string{"get x": "w1", "drain win": "linux-1", "inspect x": "web-rep-0", "pull x --node linux-1,w": "linux-1,linux-1"} {
		if out := complete(strings.Fields(args)...); strings.Contains(out, not) {
			t.Errorf("%s: what begins otherwise is offered: %s", args, out)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		out, _ := p.shunt(exitDone, "completion", shell)
		p.wants(out, "__complete")
	}
	t.Setenv("SHUNT_NATS", "nats://127.0.0.1:1")
	if out := complete("drain", ""); strings.Contains(out, "linux") || strings.Contains(out, "reach") {
		t.Errorf("without a server it says %s", out)
	}
}

// completed is what a shell offers.
func completed(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	run(t.Context(), append([]string{"__complete"}, args...), strings.NewReader(""), &out, io.Discard)
	return out.String()
}
