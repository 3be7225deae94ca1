package e2e_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/toybox"
)

// TestKilledInABackoff kills the worker while a container that crashes waits to
// be started again. The next worker goes on: it is started as often as its
// policy says, by whichever worker, and then the fleet hears of the failure.
func TestKilledInABackoff(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.linux("--ttl", "60s")
	f.service("crash", f.linuxImage("sh", "-c", "echo run; exit 3"), `"restart":{"policy":"on_failure","max":2,"delay":"4s"}`, `"max_attempts":1`)
	eventually(t, "it waits to be started again", func() (bool, string) {
		state := f.nats.request("shunt.node.linux-1.state", `{"v":1,"container":"crash-rep-0"}`)
		return state.at("state") == "exited", state.message + state.String()
	})
	worker.kill()
	f.linux("--ttl", "60s")
	expect(t, "the last word", f.nats.done("crash"), map[string]string{
		"state": "failed", "attempt": "1", "starts": "1", "reason": "~after 2 restarts",
		"outcome.result.exit_code": "3", "outcome.result.restarts": "2",
	})
	if out := f.nats.logs(linuxNode, "crash"); strings.Count(out, "run\n") != 3 {
		t.Errorf("it has said %q, want run once for each of three starts", out)
	}
}

// TestHealthChecks makes every kind of check on real containers: a service runs
// when its check passes, follows it, and is given up when it never does.
func TestHealthChecks(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	server := f.linuxImage("http", "8080")
	f.service("http", server, `"health":{"http":{"port":8080,"path":"/healthz"},"interval":"1s"}`, "")
	f.service("tcp", server, `"restart":{"policy":"always","delay":"15s"},"health":{"tcp":{"port":8080},"interval":"1s"}`, "")
	f.service("file", f.push("team/sleeper:1", f.image(toybox.Linux(runtime.GOARCH), "sleep", "3600")),
		`"health":{"command":["cat","/ok"],"interval":"1s","start_grace":"5m"}`, "")
	f.service("never", server, `"health":{"http":{"port":8081},"interval":"200ms","retries":2}`, `"max_attempts":1`)

	f.awaitHealth("http", "true")
	f.awaitHealth("tcp", "true")
	expect(t, "the last word on never", f.nats.done("never"), map[string]string{
		"state": "dead", "reason": "~connection refused", "outcome.error.code": "unavailable", "outcome.error.retryable": "true",
	})

	eventually(t, "file was checked", func() (bool, string) {
		seen := f.nats.request("shunt.node.linux-1.inspect", `{"v":1,"container":"file-rep-0"}`)
		return seen.at("health.status") == "starting" && strings.Contains(seen.at("health.last_output"), "/ok"), seen.message + seen.String()
	})
	if record := f.record("file"); record.at("healthy") != "" || record.at("state") == "pending" {
		t.Errorf("before its check has passed its record is %s", record)
	}
	f.nats.publish("shunt.job.touch", `{"v":1,"id":"touch","op":"exec","target":"linux-1","container":"file-rep-0","args":{"cmd":["touch","/ok"]}}`)
	f.awaitHealth("file", "true")

	// It is away for longer than changes may wait to be said.
	f.nats.publish("shunt.job.kill", `{"v":1,"id":"kill","op":"kill","target":"linux-1","container":"tcp-rep-0"}`)
	f.awaitHealth("tcp", "")
	f.awaitHealth("tcp", "true")
	expect(t, "the record of tcp", f.record("tcp"), map[string]string{
		"state": "running", "attempt": "1", "starts": "1", "outcome.result.restarts": "1",
	})
}

// service puts a service on intake, with more of its spec and its policy.
func (f *fleet) service(job, image, spec, policy string) {
	f.t.Helper()
	f.nats.publish("shunt.job."+job, fmt.Sprintf(
		`{"v":1,"id":%q,"op":"run","kind":"service","spec":{"image":%q,"stop_grace":"1s",%s},"policy":{%s}}`, job, image, spec, policy))
}

func (f *fleet) record(job string) document {
	return f.nats.request("shunt.placer.job", `{"v":1,"id":"`+job+`"}`).document
}

// awaitHealth waits until a service's record says "true" for healthy, or "",
// which is how it says false.
func (f *fleet) awaitHealth(job, healthy string) {
	f.t.Helper()
	eventually(f.t, job+` is said to be healthy: "`+healthy+`"`, func() (bool, string) {
		record := f.record(job)
		return record.at("state") == "running" && record.at("healthy") == healthy, record.String()
	})
}
