package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServiceMovesWithItsVolume drains the node of a service whose volume has a
// copy: on the next node it finds what it has written on the one before.
func TestServiceMovesWithItsVolume(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	f.linuxAs("linux-2")
	f.nats.publish("shunt.job.db", fmt.Sprintf(`{"v":1,"id":"db","op":"run","kind":"service","target":"linux-1","spec":{"image":%q,"network":"none",
		"entrypoint":["sh","-c"],"args":["cat /data/log; write /data/log what was written; echo up; sleep 3600"],
		"mounts":[{"type":"volume","source":"db","target":"/data","copy":%q}]}}`, f.linuxImage(), f.registry.Addr()+"/team/db:live"))
	says := func(node, want string) {
		t.Helper()
		eventually(t, "db says on "+node, func() (bool, string) {
			job := f.nats.job("db")
			if job.at("node") != node || job.at("state") != "running" {
				return false, job.String()
			}
			out := f.nats.logs(node, "db")
			return strings.Contains(out, want), out
		})
	}
	says(linuxNode, "up\n")
	f.nats.request("shunt.placer.drain", `{"v":1,"node":"linux-1"}`)
	says("linux-2", "what was written\n")
	if out := f.nats.request("shunt.node.linux-1.list", `{"v":1,"all":true}`); len(out.list("containers")) != 0 {
		t.Errorf("left on the node before: %s", out.document)
	}
	var order []string
	for _, h := range f.nats.job("db").list("history") {
		order = append(order, h.at("event")+" "+h.at("node"))
	}
	if got := strings.Join(order, ", "); got != "placed linux-1, vacated linux-1, revoked linux-1, placed linux-2" {
		t.Errorf("its history is %s; want it to have stopped before it was placed again", got)
	}
}

// TestPolicyOfANode has a file say what containers may mount.
func TestPolicyOfANode(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	shared := filepath.Join(f.dir, "shared")
	for dir, text := range map[string]string{shared: "from the node\n", filepath.Join(f.dir, "private"): "a secret\n"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "note"), text)
	}
	if err := os.Symlink("../private/note", filepath.Join(shared, "link")); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(f.dir, "policy.yaml")
	write(t, policy, "bind:\n- path: "+shared+"\n")
	f.linux("--policy", policy)
	image := f.linuxImage()
	for job, c := range map[string]struct {
		source, more string
		want         map[string]string
	}{
		"allowed": {shared + "/note", `,"read_only":true`, map[string]string{"state": "completed", "outcome.result.exit_code": "0"}},
		"writing": {shared, "", map[string]string{"state": "failed", "outcome.route_to_peer.code": "policy"}},
		"denied":  {filepath.Join(f.dir, "private"), `,"read_only":true`, map[string]string{"state": "failed", "outcome.route_to_peer.code": "policy"}},
		"a-link":  {shared + "/link", `,"read_only":true`, map[string]string{"state": "failed", "outcome.error.code": "invalid_argument"}},
	} {
		f.nats.publish("shunt.job."+job, fmt.Sprintf(`{"v":1,"id":%q,"op":"run","policy":{"reroute":"never"},"spec":{"image":%q,"network":"none",
			"args":["cat","/m"],"mounts":[{"type":"bind","source":%q,"target":"/m"%s}]}}`, job, image, c.source, c.more))
		done := f.nats.done(job)
		expect(t, "the last word on "+job, done, c.want)
		if c.want["state"] == "failed" && !strings.Contains(done.at("reason"), c.source) {
			t.Errorf("%s: the reason is %q, want %s in it", job, done.at("reason"), c.source)
		}
	}
	if out := f.nats.logs(linuxNode, "allowed"); !strings.HasPrefix(out, "from the node\n") {
		t.Errorf("the mounted file is %q", out)
	}
	info := f.nats.request("shunt.node.linux-1.info", "").document
	expect(t, "the policy in info", info, map[string]string{"policy.bind": shared + " (ro)", "policy.privileged": "false"})
}
