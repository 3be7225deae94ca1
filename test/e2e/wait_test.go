package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWaitsForCapableWorker sends a job that no node may take. It waits, with
// the reason, and runs when a worker joins that may.
func TestWaitsForCapableWorker(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.windows()
	f.pretender("linux-2", "linux/amd64,linux/arm64", "--label", "disk=hdd")
	f.nats.publish("shunt.job.fast", fmt.Sprintf(
		`{"v":1,"id":"fast","op":"run","spec":{"image":%q},"requires":{"labels":{"disk":"ssd"}},"retain":"1m"}`,
		f.linuxImage("echo", "on a fast disk")))
	f.awaitReason("fast", "disk", "ssd")

	why := f.nats.request("shunt.placer.explain", `{"v":1,"id":"fast"}`).document
	expect(t, "the explanation", why, map[string]string{"chosen": ""})
	for _, node := range why.list("nodes") {
		expect(t, "the verdict on "+node.at("node"), node, map[string]string{"ok": "false", "code": "labels", "reason": "~disk"})
	}

	f.linux("--label", "disk=ssd", "--label", "zone=a")
	expect(t, "the last word", f.nats.done("fast"), map[string]string{
		"state": "completed", "node": linuxNode, "attempt": "1", "outcome.result.exit_code": "0",
	})
	if out := f.nats.logs(linuxNode, "fast"); !strings.Contains(out, "on a fast disk\n") {
		t.Errorf("the container says %q", out)
	}
}
