package e2e_test

import (
	"fmt"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestEveryWorkerVerb asks each verb that the contract has of a worker with a
// real containerd, by the stock command line.
func TestEveryWorkerVerb(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	f.windows()
	f.awaitPeer(linuxNode, windowsNode)
	image := f.linuxImage("handle-term")
	f.runService("web", image, `"handle-term"`)
	for _, verb := range messages.WorkerVerbs() {
		ask := workerVerbs[verb]
		if ask == nil {
			t.Errorf("nothing here asks the verb %s", verb)
			continue
		}
		t.Run(string(verb), func(t *testing.T) { ask(t, f) })
	}
}

// runService gives the Linux node a service directly, and waits until it runs.
func (f *fleet) runService(id, image, args string) {
	f.t.Helper()
	up := f.command(linuxNode, fmt.Sprintf(
		`{"v":1,"id":%q,"op":"run","kind":"service","spec":{"image":%q,"args":[%s],"resources":{"memory":33554432},"stop_grace":"5s"},"retain":"1m"}`, id, image, args))
	expect(f.t, "the start of "+id, up.document, map[string]string{"status": "running", "result.container": id + "-rep-0"})
}

// command gives a node a job directly and waits for its last outcome.
func (f *fleet) command(node, job string) reply {
	f.t.Helper()
	return f.nats.request("shunt.cmd."+node, job, "-H", "Shunt-Wait:50s", "--timeout", "60s")
}

// node is a verb's answer.
func (f *fleet) node(verb, body string, flags ...string) reply {
	f.t.Helper()
	return f.nats.request("shunt.node."+linuxNode+"."+verb, body, flags...)
}

// refused checks that a request is answered with an error.
func (r reply) refused(t *testing.T, what, code, message string) {
	t.Helper()
	expect(t, what, document{map[string]any{"code": r.code, "message": r.message}}, map[string]string{"code": code, "message": "~" + message})
}

var workerVerbs = map[messages.WorkerVerb]func(*testing.T, *fleet){
	messages.VerbList: func(t *testing.T, f *fleet) {
		expect(t, "list", f.node("list", "").document, map[string]string{
			"v": "1", "containers.0.container": "web-rep-0", "containers.0.job": "web", "containers.0.attempt": "1",
			"containers.0.state": "running", "containers.0.healthy": "true", "containers.0.image": "~team/toybox:1",
			"containers.0.runtime": "primary", "containers.0.created": "~T", "next": "",
		})
		f.runService("api", f.linuxImage("handle-term"), `"handle-term"`)
		first := f.node("list", `{"v":1,"all":true,"limit":1}`).document
		expect(t, "the first page", first, map[string]string{"containers.0.container": "api-rep-0", "containers.1": "", "next": "~"})
		if first.at("next") == "" {
			t.Fatal("the first page says of no other")
		}
		expect(t, "the second page", f.node("list", fmt.Sprintf(`{"v":1,"all":true,"limit":1,"cursor":%q}`, first.at("next"))).document,
			map[string]string{"containers.0.container": "web-rep-0", "containers.1": "", "next": ""})
		f.node("list", `{"v":1,"limit":1001}`).refused(t, "too long a page", "400", "invalid_argument: limit: ")
	},
	messages.VerbInspect: func(t *testing.T, f *fleet) {
		expect(t, "inspect", f.node("inspect", `{"v":1,"container":"web-rep-0"}`).document, map[string]string{
			"container": "web-rep-0", "job": "web", "attempt": "1", "state": "running", "service": "web", "image_digest": "~sha256:",
			"platform.os": "linux", "spec.args.0": "handle-term", "started_at": "~T", "spec.resources.memory": "33554432",
		})
		f.node("inspect", `{"v":1,"container":"none-rep-0"}`).refused(t, "inspect of nothing", "404", "not_found: ")
		f.node("inspect", `{"v":1}`).refused(t, "inspect without a name", "400", "invalid_argument: container: ")
	},
	messages.VerbState: func(t *testing.T, f *fleet) {
		state := f.node("state", `{"v":1,"container":"web-rep-0"}`).document
		expect(t, "state", state, map[string]string{"state": "running", "exit_code": ""})
		if state.at("pid") == "" {
			t.Errorf("it says no pid: %s", state)
		}
	},
	messages.VerbStats: func(t *testing.T, f *fleet) {
		once := f.node("stats", `{"v":1,"container":"web-rep-0"}`).document
		expect(t, "stats", once, map[string]string{"v": "1", "memory_limit": "33554432", "at": "~T", "io.read_bytes": "~", "network.rx_bytes": "~"})
		for _, figure := range []string{"cpu_usage_usec", "memory_bytes", "pids"} {
			if got := once.at(figure); got == "" || got == "0" {
				t.Errorf("%s is %q", figure, got)
			}
		}
		f.runService("ends", f.linuxImage("handle-term"), `"handle-term"`)
		s := f.nats.stream("shunt.node.linux-1.stats", `{"v":1,"container":"ends-rep-0","stream":true}`)
		s.await(`Shunt-Seq: 2\n`)
		f.command(linuxNode, `{"v":1,"id":"ends-stop","op":"stop","container":"ends-rep-0"}`)
		s.wait().expect("a stream of figures", `"cpu_usage_usec":`, map[string]string{"Status": "204"})
	},
	messages.VerbImages: func(t *testing.T, f *fleet) {
		expect(t, "images", f.node("images", "").document, map[string]string{
			"images.0.reference": "~team/toybox:1", "images.0.digest": "~sha256:", "images.0.platforms.0.os": "linux", "images.0.runtime": "primary",
		})
	},
	messages.VerbLogs: logsVerb,
	messages.VerbExec: execVerb,
	messages.VerbWait: func(t *testing.T, f *fleet) {
		f.node("wait", `{"v":1,"container":"web-rep-0","timeout":"200ms"}`).refused(t, "a wait that is over", "504", "deadline_exceeded: timeout: ")
		f.runService("left", f.linuxImage("handle-term"), `"handle-term","exit","7"`)
		f.nats.publish("shunt.job.left-stop", `{"v":1,"id":"left-stop","op":"stop","container":"left-rep-0","target":"linux-1"}`)
		expect(t, "wait", f.node("wait", `{"v":1,"container":"left-rep-0","condition":"not_running"}`, "--timeout", "60s").document,
			map[string]string{"exit_code": "7", "exit_reason": "exited", "finished_at": "~T"})
	},
	messages.VerbEvents: func(t *testing.T, f *fleet) {
		s := f.nats.stream("shunt.node.linux-1.events", `{"v":1,"kinds":["started","exited"]}`, "--replies", "2")
		image := f.linuxImage("true")
		n := 0
		eventually(t, "events are told", func() (bool, string) { // it may not listen yet
			n++
			f.command(linuxNode, fmt.Sprintf(`{"v":1,"id":"tells-%d","op":"run","spec":{"image":%q,"args":["true"]}}`, n, image))
			said := s.output.String()
			return submatch(startedEvent, said) != "" && submatch(exitedEvent, said) != "", said
		})
		s.expect("events", `"node":"linux-1"`, nil)
	},
	messages.VerbPeers: func(t *testing.T, f *fleet) {
		expect(t, "peers", f.node("peers", "").document, map[string]string{
			"nodes.0.node": linuxNode, "nodes.1.node": windowsNode, "nodes.1.state": "alive", "nodes.1.age": "~s", "nodes.1.platforms.0.os": "windows",
		})
	},
	messages.VerbInfo: func(t *testing.T, f *fleet) {
		expect(t, "info", f.node("info", "").document, map[string]string{
			"node": linuxNode, "version": "~", "incarnation": "~.1", "runtimes.0.name": "primary", "runtimes.0.kind": "containerd",
			"runtimes.0.platforms.0.os": "linux", "policy.privileged": "~",
		})
	},
	messages.VerbAttempt: func(t *testing.T, f *fleet) {
		expect(t, "attempt", f.node("attempt", `{"v":1,"job":"web","attempt":1}`).document, map[string]string{
			"job": "web", "op": "run", "node": linuxNode, "attempt": "1", "status": "running", "result.container": "web-rep-0",
		})
		f.node("attempt", `{"v":1,"job":"web","attempt":2}`).refused(t, "an attempt that never was", "404", "not_found: ")
	},
	messages.VerbDrain: func(t *testing.T, f *fleet) {
		expect(t, "drain", f.node("drain", "").document, map[string]string{"node": linuxNode, "draining": "true", "left": "~"})
		f.awaitNode(linuxNode, "draining")
	},
	messages.VerbUndrain: func(t *testing.T, f *fleet) {
		expect(t, "undrain", f.node("undrain", `{"v":1}`).document, map[string]string{"node": linuxNode, "draining": "false"})
		f.awaitNode(linuxNode, "alive")
	},
}
