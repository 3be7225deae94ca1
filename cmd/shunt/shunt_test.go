package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// terminal is a person at a fleet: a Windows-shaped node, a Linux one, and an
// image. The workers' runtimes are the memory ones, since no tools lie beside a
// test's program; everything else is what `shunt dev` runs.
type terminal struct {
	*testing.T
	fleet  *fleet
	image  string
	silent bool // about the server
}

func sitDown(t *testing.T) *terminal {
	t.Helper()
	f, err := newFleet(t.Context(), t.TempDir(), "127.0.0.1:0", slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.shutdown)
	f.program = testenv.Toybox(t)
	if f.real == "" {
		t.Fatal("a test's program has no tools beside it; the fleet was to pretend")
	}
	if err := f.windowsWorker(t.Context(), "win-1"); err != nil {
		t.Fatal(err)
	}
	if err := f.linuxWorker(t.Context(), "linux-1", map[string]string{"disk": "hdd"}); err != nil {
		t.Fatal(err)
	}
	image, err := f.pushHello(t.Context(), "sh", "-c", "echo hello; echo and goodbye")
	if err != nil {
		t.Fatal(err)
	}
	return &terminal{T: t, fleet: f, image: image}
}

// shunt runs a verb and wants an exit code.
func (p *terminal) shunt(want int, args ...string) (stdout, stderr string) {
	p.Helper()
	return p.typing("", want, args...)
}

// typing is shunt with something on standard input.
func (p *terminal) typing(in string, want int, args ...string) (stdout, stderr string) {
	p.Helper()
	var out, errOut bytes.Buffer
	if !p.silent {
		args = append([]string{"--nats", p.fleet.placer.URL}, args...)
	}
	if code := run(p.Context(), args, strings.NewReader(in), &out, &errOut); code != want {
		p.Fatalf("shunt %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, &out, &errOut)
	}
	return out.String(), errOut.String()
}

func (p *terminal) wants(text string, parts ...string) {
	p.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			p.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

func TestAPersonAtATerminal(t *testing.T) {
	p := sitDown(t)

	out, _ := p.shunt(exitDone, "submit", p.image, "--id", "j1", "--node", "win-1")
	p.wants(out, "win-1 refuses it (platform)", "--install-wsl", "Linux peer")

	out, _ = p.shunt(exitDone, "submit", p.image, "--id", "j2", "--wait")
	p.wants(out, "completed", "linux-1", "0 (exited)")

	out, _ = p.shunt(exitDone, "logs", "j2", "--tail", "1")
	if out != "and goodbye\n" {
		t.Errorf("the last line is %q", out)
	}
	out, _ = p.shunt(exitDone, "explain", "j2")
	p.wants(out, "chosen", "linux-1", "win-1", ": drawn ", ", room 10.0")
	out, _ = p.shunt(exitDone, "nodes")
	p.wants(out, "windows(10.0.20348)/amd64", "disk=hdd", "alive")
	out, _ = p.shunt(exitDone, "nodes", "--label", "disk=hdd")
	if strings.Contains(out, "win-1") {
		t.Errorf("win-1 has no label disk:\n%s", out)
	}

	out, _ = p.shunt(exitJobFailed, "submit", p.image, "--id", "j3", "--wait", "--", "sh", "-c", "exit 3")
	p.wants(out, "failed", "3 (exited)")
}

// The id of a job that has ended is not free: another job under it is rejected,
// and is not told the other one's end.
func TestAnotherJobUnderAnEndedID(t *testing.T) {
	p := sitDown(t)
	p.shunt(exitDone, "submit", p.image, "--id", "same", "--wait")
	p.shunt(exitDone, "submit", p.image, "--id", "same", "--wait") // the same job: the same end
	_, errOut := p.shunt(exitBadUse, "submit", p.image, "--id", "same", "--wait", "--", "echo", "other")
	p.wants(errOut, "id_conflict", `"same"`)
}

func TestAJobFromAFile(t *testing.T) {
	p := sitDown(t)
	job := "# YAML, and without what can be left out\nid: from-file\nop: run\nspec: {image: " + p.image + "}\n"
	out, _ := p.typing(job, exitDone, "--output", "json", "submit", "-f", "-", "--wait")
	var rec messages.Record
	if err := json.Unmarshal([]byte(out), &rec); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
	if rec.Job.ID != "from-file" || rec.State != messages.StateCompleted {
		t.Errorf("%s is %s", rec.Job.ID, rec.State)
	}

	file := filepath.Join(t.TempDir(), "job.yaml")
	if err := os.WriteFile(file, []byte("id: q\nop: run\nspec: {image: x, mounts: [{type: byte, target: /a}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errOut := p.typing("", exitBadUse, "submit", "-f", "-")
	p.wants(errOut, "is empty", "op: run")
	_, errOut = p.shunt(exitBadUse, "submit", "-f", file)
	p.wants(errOut, "spec.mounts[0].type", "byte", "volume")
}

func TestWaitingIsSaid(t *testing.T) {
	p := sitDown(t)
	p.shunt(exitDone, "submit", p.image, "--id", "w1", "--require", "disk=ssd")
	p.shunt(exitTimedOut, "--timeout", "300ms", "submit", p.image, "--id", "w2", "--require", "disk=ssd", "--wait")
	out, _ := p.shunt(exitDone, "get")
	p.wants(out, "w1", "w2", "pending", "label disk is hdd (wanted: ssd)")
	_, errOut := p.shunt(exitBadUse, "logs", "w1")
	p.wants(errOut, "w1 has no container", "pending")
}

func TestMistakesNameThemselves(t *testing.T) {
	p := sitDown(t)
	for _, c := range []struct {
		code int
		args []string
		says []string
	}{
		{exitBadUse, []string{"get", "nobody"}, []string{"not_found", `"nobody"`}},
		{exitBadUse, []string{"submit"}, []string{"-f FILE"}},
		{exitBadUse, []string{"job"}, []string{`"job"`, "jobs", "next: `shunt --help`"}},
		{exitBadUse, []string{"jobs", "--lable", "a=b"}, []string{"--lable", "next: `shunt jobs --help`"}},
		{exitBadUse, []string{"exec", "web-rep-0"}, []string{"2 arg(s)", "next: `shunt exec --help`"}},
		{exitBadUse, []string{"apply"}, []string{`"file"`, "next: `shunt apply --help`"}},
		{exitBadUse, []string{"submit", "x", "--id", "_a"}, []string{"id", `"_a"`, "A-Z"}},
		{exitBadUse, []string{"--output", "xml", "nodes"}, []string{"--output", `"xml"`, "json"}},
		{exitUnreachable, []string{"submit", "x", "--node", "nobody"}, []string{"nobody does not answer"}},
		{exitUnreachable, []string{"--nats", "nats://127.0.0.1:1", "nodes"}, []string{"127.0.0.1:1", "not reachable"}},
	} {
		_, errOut := p.shunt(c.code, c.args...)
		p.wants(errOut, c.says...)
	}
}

// TestDemoWithoutContainers tells the whole story on a machine that can only
// pretend, and says so first.
func TestDemoWithoutContainers(t *testing.T) {
	var out bytes.Buffer
	f, err := newFleet(t.Context(), t.TempDir(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.shutdown()
	f.program = testenv.Toybox(t)
	ctx, cancel := context.WithTimeout(t.Context(), demoWithin)
	defer cancel()
	if err := (&story{app: &app{out: &out, err: &out}, fleet: f}).tell(ctx); err != nil {
		t.Fatalf("%v after:\n%s", err, &out)
	}
	p := &terminal{T: t}
	first, _, _ := strings.Cut(out.String(), "\n")
	p.wants(first, "pretended", "memory runtime")
	p.wants(out.String(),
		"win-1 refuses it (platform)", "The placer chose linux-1", "Hello from a Linux container.",
		"hello-2 is pending: no node can take it", "The placer chose linux-2", "0 (exited)")
}
