package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// In JSON output is a document for each piece, with whose it is and when it was
// said, and what a program says is one with its exit code at the end.
func TestOutputInJSON(t *testing.T) {
	p := sitDown(t)
	p.serve("w1", "web")
	p.shunt(exitDone, "submit", p.image, "--id", "j1", "--wait", "--", "sh", "-c", "echo out; echo more")
	out, errOut := p.shunt(exitDone, "logs", "j1", "--output", "json")
	said := map[string]string{}
	for line := range strings.Lines(out) {
		var d outputDocument
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if d.Container != "j1-rep-0" || time.Since(d.At) > time.Hour {
			t.Errorf("it is %s's, of %s", d.Container, d.At)
		}
		said[d.Stream] += d.Data
	}
	if said["stdout"] != "out\nmore\n" || errOut != "" {
		t.Errorf("it says %q, and beside it %q", said, errOut)
	}

	out, _ = p.shunt(exitDone, "exec", "web-rep-0", "--output", "json", "--", "echo", "inside")
	want := `{"container":"web-rep-0","stream":"stdout","data":"inside\n"}` + "\n" + `{"container":"web-rep-0","exit_code":0,"node":"linux-1"}` + "\n"
	if out != want {
		t.Errorf("it says %s", out)
	}
	if d := documentOf("c", "stdout", time.Time{}, []byte{0xff, 'a'}); d.Data != "/2E=" || d.Encoding != "base64" {
		t.Errorf("what is no UTF-8 is %+v", d)
	}
}

// Beside --node a name may be the container's own, its second one, or its job's.
func TestLogsByEveryName(t *testing.T) {
	p := sitDown(t)
	p.shunt(exitDone, "submit", p.image, "--id", "odd-rep-9", "--service", "odd", "--wait", "--", "echo", "by its job")
	p.shunt(exitDone, "submit", p.image, "--id", "w1", "--service", "web", "--kind", "service", "--", "sh", "-c", "echo by its name; sleep 3600")
	p.shunt(exitDone, "wait", "--running", "w1")
	p.shunt(exitDone, "rename", "web-rep-0", "front")
	for name, want := range map[string]string{"front": "by its name\n", "web-rep-0": "by its name\n", "w1": "by its name\n", "odd-rep-9": "by its job\n"} {
		if out, _ := p.shunt(exitDone, "logs", "--node", "linux-1", name); out != want {
			t.Errorf("%s says %q", name, out)
		}
	}
	_, errOut := p.shunt(exitBadUse, "logs", "--node", "linux-1", "nobody")
	p.wants(errOut, "not_found")
}

// What is given beside what is asked about is not passed over in silence.
func TestExplainTakesOneQuestion(t *testing.T) {
	p := sitDown(t)
	job := `{"id":"%","op":"run","spec":{"image":"` + p.image + `"}}`
	one := strings.ReplaceAll(job, "%", "one")
	_, errOut := p.typing(one, exitBadUse, "explain", "other", "-f", "-")
	p.wants(errOut, "both -f - and a job (other)")
	_, errOut = p.typing(one+"\n"+strings.ReplaceAll(job, "%", "two"), exitBadUse, "explain", "-f", "-")
	p.wants(errOut, "it has 2 jobs; want one")
	out, _ := p.typing(one, exitDone, "explain", "-f", "-")
	p.wants(out, "linux-1", "chosen")
}
