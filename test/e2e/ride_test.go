package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestRide is the story: a job that a Windows-shaped node refuses runs in a
// real container on a Linux peer. The stock nats command line is all there is
// of a client.
func TestRide(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	f.windows()
	f.awaitPeer(windowsNode, linuxNode)
	image := f.linuxImage("echo", "hello from the image")

	t.Run("intake", func(t *testing.T) { rideByIntake(t, f, image) })
	t.Run("command", func(t *testing.T) { rideByCommand(t, f, image) })
	t.Run("command that waits", func(t *testing.T) { rideWaiting(t, f, image) })
	t.Run("discovery", func(t *testing.T) { discover(t, f) })
}

// awaitPeer waits until a worker has heard another one.
func (f *fleet) awaitPeer(node, peer string) {
	f.t.Helper()
	eventually(f.t, node+" knows "+peer, func() (bool, string) {
		peers := f.nats.request("shunt.node."+node+".peers", "").document
		for _, p := range peers.list("nodes") {
			if p.at("node") == peer && p.at("state") == "alive" {
				return true, ""
			}
		}
		return false, peers.String()
	})
}

// rerouted is what the record of the ride's jobs says in the end.
var rerouted = map[string]string{
	"state": "failed", "node": linuxNode, "attempt": "2", "starts": "1",
	"job.refused.0.node": windowsNode, "job.refused.0.attempt": "1", "job.refused.0.code": "platform",
	"outcome.node": linuxNode, "outcome.status": "failed",
	"outcome.result.exit_code": "3", "outcome.result.exit_reason": "exited", "outcome.result.runtime": "primary",
}

// script is a job whose container says something, and ends with 3.
func script(id, image, more string) string {
	return fmt.Sprintf(`{"v":1,"id":%q,"op":"run","spec":{"image":%q,"args":["sh","-c","echo out; printerr err; exit 3"]}%s}`, id, image, more)
}

func rideByIntake(t *testing.T, f *fleet, image string) {
	f.nats.publish("shunt.job.ride-1", script("ride-1", image, `,"target":"win-1"`))
	record := f.nats.done("ride-1")
	expect(t, "the last word", record, rerouted)
	bothWaysOut(t, record.at("job.refused.0.reason"))
	if kept, _ := f.nats.run("stream", "get", "SHUNT_DONE", "--last-for", "shunt.done.ride-1"); !strings.Contains(kept, `"state":"failed"`) {
		t.Errorf("the stream keeps another last word:\n%s", kept)
	}

	refusal := f.nats.first("SHUNT_OUTCOMES", "shunt.outcome.win-1.ride-1")
	expect(t, "the refusal", refusal, map[string]string{
		"status": "route_to_peer", "node": windowsNode, "attempt": "1",
		"route_to_peer.code": "platform", "route_to_peer.required_os": "linux", "route_to_peer.peers.0": linuxNode,
	})
	bothWaysOut(t, refusal.at("route_to_peer.reason"))

	if out := f.nats.logs(linuxNode, "ride-1"); !strings.Contains(out, "out\n") || !strings.Contains(out, "err\n") {
		t.Errorf("the container's own output is %q, want out and err", out)
	}
	// What is asked again is answered again, and nothing is run again.
	f.nats.publish("shunt.job.ride-1", script("ride-1", image, `,"target":"win-1"`))
	expect(t, "the record, asked for", f.nats.job("ride-1"), rerouted)
}

// bothWaysOut checks that a refusal says what can be done on the node, and what
// in the cluster.
func bothWaysOut(t *testing.T, reason string) {
	t.Helper()
	for _, way := range []string{"--install-wsl yes", "Linux peer"} {
		if !strings.Contains(reason, way) {
			t.Errorf("the refusal's reason %q does not name %q", reason, way)
		}
	}
}

func rideByCommand(t *testing.T, f *fleet, image string) {
	body := script("ride-2", image, "")
	answer := f.nats.request("shunt.cmd.win-1", body)
	expect(t, "the answer", answer.document, map[string]string{
		"job": "ride-2", "node": windowsNode, "status": "route_to_peer", "attempt": "1",
		"route_to_peer.code": "platform", "job_body.id": "ride-2",
	})
	bothWaysOut(t, answer.at("route_to_peer.reason"))
	expect(t, "the last word", f.nats.done("ride-2"), rerouted)
}

func rideWaiting(t *testing.T, f *fleet, image string) {
	answer := f.nats.request("shunt.cmd.linux-1", script("ride-3", image, ""), "-H", "Shunt-Wait:30s", "--timeout", "40s")
	expect(t, "the answer", answer.document, map[string]string{
		"job": "ride-3", "node": linuxNode, "status": "failed", "attempt": "1",
		"result.exit_code": "3", "result.exit_reason": "exited",
	})
	expect(t, "the last word", f.nats.done("ride-3"), map[string]string{"state": "failed", "node": linuxNode, "attempt": "1"})

	answer = f.nats.request("shunt.cmd.win-1", script("ride-4", image, ""), "-H", "Shunt-Wait:30s", "--timeout", "40s")
	expect(t, "the answer", answer.document, map[string]string{"status": "route_to_peer", "node": windowsNode})
}

// discover looks for both services with the stock client's own commands.
func discover(t *testing.T, f *fleet) {
	for _, args := range [][]string{{"micro", "ls"}, {"micro", "ping"}} {
		out, _ := f.nats.run(args...)
		for _, service := range []string{"shunt-worker", "shunt-placer"} {
			if !strings.Contains(out, service) {
				t.Errorf("nats %s shows no %s:\n%s", strings.Join(args, " "), service, out)
			}
		}
	}
	for service, endpoints := range map[string][]string{
		"shunt-worker": {"shunt.cmd.", "shunt.node.", ".logs", ".inspect"},
		"shunt-placer": {"shunt.placer.job", "shunt.placer.nodes", "placers"},
	} {
		info, _ := f.nats.run("micro", "info", service)
		stats, _ := f.nats.run("micro", "stats", service)
		for _, endpoint := range endpoints {
			if !strings.Contains(info, endpoint) {
				t.Errorf("nats micro info %s names no %q:\n%s", service, endpoint, info)
			}
		}
		if !strings.Contains(stats, service+" Service Statistics") {
			t.Errorf("nats micro stats %s has none:\n%s", service, stats)
		}
	}
}
