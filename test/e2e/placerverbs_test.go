package e2e_test

import (
	"fmt"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestEveryPlacerVerb asks each verb that the contract has of a placer, by the
// stock command line.
func TestEveryPlacerVerb(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	gone := f.pretender("gone-1", "linux/amd64,linux/arm64")
	f.pretender("mem-1", "linux/amd64,linux/arm64", "--label", "disk=ssd")
	f.windows()
	image := f.linuxImage("serve")
	for _, id := range []string{"web-0", "web-1"} {
		f.nats.publish("shunt.job."+id, fmt.Sprintf(
			`{"v":1,"id":%q,"op":"run","kind":"service","service":"web","replica":%s,"spec":{"image":%q,"args":["serve"],"labels":{"team":"web"}},"target":"mem-1"}`, id, id[4:], image))
	}
	f.nats.publish("shunt.job.fails", fmt.Sprintf(`{"v":1,"id":"fails","op":"run","spec":{"image":%q,"args":["exit","3"]},"target":"mem-1"}`, image))
	f.nats.done("fails")
	for _, id := range []string{"web-0", "web-1"} {
		f.awaitState(id, "running")
	}
	gone.stop()
	f.awaitNode("gone-1", "left")
	for _, verb := range messages.PlacerVerbs() {
		ask := placerVerbs[verb]
		if ask == nil {
			t.Errorf("nothing here asks the verb %s", verb)
			continue
		}
		t.Run(string(verb), func(t *testing.T) { ask(t, f) })
	}
}

// awaitState waits until a job stands there.
func (f *fleet) awaitState(job, state string) {
	f.t.Helper()
	eventually(f.t, job+" is "+state, func() (bool, string) {
		rec := f.nats.job(job)
		return rec.at("state") == state, rec.String()
	})
}

// placers is a placer's answer.
func (f *fleet) placers(verb, body string) reply {
	f.t.Helper()
	return f.nats.request("shunt.placer."+verb, body, "--timeout", "30s")
}

var placerVerbs = map[messages.PlacerVerb]func(*testing.T, *fleet){
	messages.PlacerJobs: func(t *testing.T, f *fleet) {
		first := f.placers("jobs", `{"v":1,"state":"running","node":"mem-1","service":"web","labels":{"team":"web"},"limit":1}`).document
		expect(t, "the first page", first, map[string]string{
			"v": "1", "jobs.0.job.id": "web-0", "jobs.0.state": "running", "jobs.0.node": "mem-1", "jobs.0.job.spec": "", "jobs.1": "",
		})
		next := fmt.Sprintf(`{"v":1,"service":"web","limit":1,"cursor":%q}`, first.at("next"))
		expect(t, "the second page", f.placers("jobs", next).document, map[string]string{"jobs.0.job.id": "web-1", "jobs.1": "", "next": ""})
		expect(t, "what failed", f.placers("jobs", `{"v":1,"state":"failed"}`).document, map[string]string{
			"jobs.0.job.id": "fails", "jobs.0.outcome.result.exit_code": "3",
		})
		expect(t, "another team's", f.placers("jobs", `{"v":1,"labels":{"team":"none"}}`).document, map[string]string{"jobs": "[]"})
		f.placers("jobs", `{"v":1,"limit":-1}`).refused(t, "a page of less than none", "400", "invalid_argument: limit: ")
	},
	messages.PlacerJob: func(t *testing.T, f *fleet) {
		expect(t, "job", f.placers("job", `{"v":1,"id":"web-0"}`).document, map[string]string{
			"v": "1", "job.id": "web-0", "job.spec.image": "~toybox", "state": "running", "node": "mem-1", "attempt": "1", "starts": "1",
			"outcome.status": "running", "created": "~T", "updated": "~T", "history.0.event": "placed", "healthy": "true",
		})
		f.placers("job", `{"v":1,"id":"none"}`).refused(t, "an unknown job", "404", "not_found: id: ")
	},
	messages.PlacerRetry: func(t *testing.T, f *fleet) {
		expect(t, "retry", f.placers("retry", `{"v":1,"id":"fails","reason":"once more"}`).document, map[string]string{"job.id": "fails", "retries": "1"})
		f.placers("retry", `{"v":1,"id":"web-0"}`).refused(t, "a retry of what runs", "412", "failed_precondition: id: ")
		f.placers("retry", `{"v":1,"id":"none"}`).refused(t, "a retry of nothing", "404", "not_found: ")
	},
	messages.PlacerCancel: func(t *testing.T, f *fleet) {
		expect(t, "cancel", f.placers("cancel", `{"v":1,"id":"web-1","reason":"enough"}`).document, map[string]string{"job.id": "web-1", "state": "~cancel"})
		expect(t, "the last word", f.nats.done("web-1"), map[string]string{"state": "cancelled", "reason": "~enough"})
		f.placers("cancel", `{"v":1,"id":"none"}`).refused(t, "a cancel of nothing", "404", "not_found: ")
	},
	messages.PlacerExplain: func(t *testing.T, f *fleet) {
		asked := `{"v":1,"id":"asked","op":"run","spec":{"image":"x/y:1","platform":{"os":"linux"}},"requires":{"labels":{"disk":"ssd"}}}`
		why := f.placers("explain", `{"v":1,"job":`+asked+`}`).document
		expect(t, "the answer to a question", why, map[string]string{"chosen": "mem-1", "nodes.0.node": "mem-1", "nodes.0.ok": "true", "nodes.0.parts.room": "~1", "nodes.0.changed": ""})
		for _, n := range why.list("nodes")[1:] {
			want := map[string]string{"gone-1": "not_alive", windowsNode: "platform"}[n.at("node")]
			expect(t, "the verdict on "+n.at("node"), n, map[string]string{"ok": "false", "code": want, "reason": "~ "})
		}
		if rec := f.placers("job", `{"v":1,"id":"asked"}`); rec.code != "404" {
			t.Errorf("what was asked about has become a job: %s", rec)
		}
		expect(t, "why a job is where it is", f.placers("explain", `{"v":1,"id":"web-0"}`).document, map[string]string{"chosen": "mem-1"})
		f.placers("explain", `{"v":1}`).refused(t, "a question about nothing", "400", "invalid_argument: id: ")
	},
	messages.PlacerNodes: func(t *testing.T, f *fleet) {
		expect(t, "nodes", f.placers("nodes", `{"v":1,"labels":{"disk":"ssd"},"platform":{"os":"linux"}}`).document, map[string]string{
			"nodes.0.node": "mem-1", "nodes.0.state": "alive", "nodes.0.age": "~s", "nodes.0.labels.disk": "ssd", "nodes.1": "",
		})
		first := f.placers("nodes", `{"v":1,"limit":1}`).document
		next := fmt.Sprintf(`{"v":1,"limit":1,"cursor":%q}`, first.at("next"))
		expect(t, "the second page", f.placers("nodes", next).document, map[string]string{"nodes.0.node": "mem-1", "next": "~"})
		expect(t, "another platform", f.placers("nodes", `{"v":1,"platform":{"os":"darwin"}}`).document, map[string]string{"nodes": "[]"})
	},
	messages.PlacerDrain: func(t *testing.T, f *fleet) {
		expect(t, "drain", f.placers("drain", `{"v":1,"node":"win-1","timeout":"1s"}`).document, map[string]string{"node": windowsNode, "draining": "true", "left": "0"})
		f.awaitNode(windowsNode, "draining")
		f.placers("drain", `{"v":1}`).refused(t, "a drain of no node", "400", "invalid_argument: node: ")
		f.placers("drain", `{"v":1,"node":"none"}`).refused(t, "a drain of an unknown node", "404", "not_found: ")
	},
	messages.PlacerUndrain: func(t *testing.T, f *fleet) {
		expect(t, "undrain", f.placers("undrain", `{"v":1,"node":"win-1"}`).document, map[string]string{"node": windowsNode, "draining": "false"})
		f.awaitNode(windowsNode, "alive")
	},
	messages.PlacerForget: func(t *testing.T, f *fleet) {
		f.placers("forget", `{"v":1,"node":"mem-1"}`).refused(t, "to forget a node that is there", "412", "failed_precondition: ")
		expect(t, "forget", f.placers("forget", `{"v":1,"node":"gone-1"}`).document, map[string]string{"node": "gone-1", "left": "~"})
	},
	messages.PlacerInfo: func(t *testing.T, f *fleet) {
		expect(t, "info", f.placers("info", "").document, map[string]string{
			"v": "1", "id": "placer-1", "version": "~", "placers.0": "placer-1", "counts.running": "1",
		})
	},
}
