package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestServiceIsReplacedMakeBeforeBreak has a service take its name over from
// another, on real containers: one that fails harms nobody, and one that becomes
// healthy ends the one before only then.
func TestServiceIsReplacedMakeBeforeBreak(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	f.linuxAs("linux-2")
	submit := func(id, more, script string) {
		t.Helper()
		f.nats.publish("shunt.job."+id, fmt.Sprintf(`{"v":1,"id":%q,"op":"run","kind":"service","service":"web"%s,"spec":{"image":%q,"network":"none",
			"entrypoint":["sh","-c"],"args":[%q],"health":{"command":["cat","/ready"],"interval":"200ms","start_grace":"30s"}}}`, id, more, f.linuxImage(), script))
	}
	running := func(id string) document {
		t.Helper()
		var job document
		eventually(t, id+" is healthy", func() (bool, string) {
			job = f.nats.job(id)
			return job.at("healthy") == "true", job.String()
		})
		return job
	}
	submit("v1", `,"target":"linux-1"`, "write /ready yes; sleep 3600")
	running("v1")
	submit("v2", `,"args":{"replace":true}`, "exit 3")
	expect(t, "the last word on v2", f.nats.done("v2"), map[string]string{"state": "failed", "node": "linux-2", "outcome.result.exit_code": "3"})
	expect(t, "v1, after v2 has failed", f.nats.job("v1"), map[string]string{"state": "running", "node": "linux-1", "attempt": "1"})

	submit("v3", `,"args":{"replace":true}`, "sleep 2; write /ready yes; sleep 3600")
	v3 := running("v3")
	expect(t, "v3", v3, map[string]string{"state": "running", "node": "linux-2"})
	v1 := f.nats.done("v1")
	if v1.at("state") != "cancelled" || !strings.Contains(v1.at("reason"), "replaced by v3") {
		t.Errorf("v1 is %s: %s", v1.at("state"), v1.at("reason"))
	}
	instant := func(what, text string) time.Time {
		t.Helper()
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return at
	}
	healthy := instant("v3 is healthy since", v3.at("healthy_since"))
	for _, h := range v1.list("history") {
		if h.at("event") == "cancel" && instant("v1 is asked to end", h.at("at")).Before(healthy) {
			t.Errorf("v1 was asked to end at %s, and v3 is healthy since %s", h.at("at"), v3.at("healthy_since"))
		}
	}
	eventually(t, "nothing is owed", func() (bool, string) {
		job := f.nats.job("v3")
		return job.at("named") == "true" && job.at("replaces.job") == "", job.String()
	})
	for node, want := range map[string]string{"linux-1": "", "linux-2": "v3"} {
		var jobs []string
		for _, c := range f.nats.request("shunt.node."+node+".list", `{"v":1}`).list("containers") {
			jobs = append(jobs, c.at("job"))
		}
		if got := strings.Join(jobs, " "); got != want {
			t.Errorf("%s runs %q, want %q", node, got, want)
		}
	}
}
