package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A name means the job that holds it, whatever the order of the ids.
func TestAContainersNameMeansItsHolder(t *testing.T) {
	job := func(id, node string, replica uint32, named bool, replaces string) messages.Record {
		rec := messages.Record{Node: node, Named: named, Job: messages.Job{ID: id, Op: messages.OpRun, Service: "web", Replica: replica}}
		if replaces != "" {
			rec.Replaces = &messages.Replaced{Job: replaces}
		}
		return rec
	}
	for _, c := range []struct {
		what string
		live []messages.Record
		want string
	}{
		{"beside the holder", []messages.Record{job("a", "n1", 0, false, "z"), job("z", "n2", 0, true, "")}, "z"},
		{"beside the holder, and after it", []messages.Record{job("a", "n1", 0, true, ""), job("z", "n2", 0, false, "a")}, "a"},
		{"the name has passed over", []messages.Record{job("a", "n1", 0, true, "z"), job("z", "n2", 0, true, "")}, "a"},
		{"the name has passed over to a later id", []messages.Record{job("a", "n1", 0, true, ""), job("z", "n2", 0, true, "a")}, "z"},
		{"the holder has no node", []messages.Record{job("a", "n1", 0, false, "z"), job("z", "", 0, true, "")}, "a"},
		{"two replicas", []messages.Record{job("a", "n1", 0, true, ""), job("z", "n2", 1, true, "")}, "a z"},
		{"an op on the container", []messages.Record{{Node: "n1", Job: messages.Job{ID: "a", Op: messages.OpStop, Service: "web"}}, job("z", "n2", 0, true, "")}, "z"},
	} {
		var ids []string
		for _, rec := range onePerName(c.live) {
			ids = append(ids, rec.Job.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// While a service takes over another one's name, the name means the holder.
func TestANameThatIsBeingTakenOver(t *testing.T) {
	p := sitDown(t)
	if err := p.fleet.linuxWorker(t.Context(), "linux-2", nil); err != nil {
		t.Fatal(err)
	}
	service := func(id, more, script string) string {
		return "{op: run, id: " + id + ", service: web, kind: service, " + more + " spec: {image: " + p.image +
			", entrypoint: [sh, -c, '" + script + "']" + `, health: {command: ["false"], interval: 1h, start_grace: 1h}}}`
	}
	p.typing(strings.Replace(service("z1", "", "echo the old one; sleep 3600"), `["false"]`, `["true"]`, 1), exitDone, "submit", "-f", "-")
	p.shunt(exitDone, "wait", "--running", "z1")
	p.typing(service("a2", "args: {replace: true},", "echo the new one; sleep 3600"), exitDone, "submit", "-f", "-")
	p.eventually(func() bool {
		var out bytes.Buffer // it may not be there yet
		run(t.Context(), []string{"--nats", p.fleet.placer.URL, "logs", "--node", "linux-2", "a2"}, strings.NewReader(""), &out, io.Discard)
		return out.String() == "the new one\n"
	})
	out, _ := p.shunt(exitDone, "inspect", "web-rep-0")
	p.wants(out, "z1", "linux-1")
	out, _ = p.shunt(exitDone, "logs", "web-rep-0")
	if out != "the old one\n" {
		t.Errorf("web-rep-0 says %q", out)
	}
	out, _ = p.shunt(exitDone, "logs", "--service", "web")
	if out != "the old one\n" {
		t.Errorf("the service says %q", out)
	}
	out, _ = p.shunt(exitDone, "exec", "web", "--", "echo", "inside")
	if out != "inside\n" {
		t.Errorf("the program says %q", out)
	}
}
