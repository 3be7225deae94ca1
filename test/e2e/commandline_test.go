package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBadCommandLines shows that what a user gets wrong is named, with its
// value and what would be right, and that the program ends with 2.
func TestBadCommandLines(t *testing.T) {
	t.Parallel()
	const nats = "--nats=nats://127.0.0.1:1" // nobody is there, so what is said is said before anybody is asked
	dir := t.TempDir()
	state := "--state-dir=" + filepath.Join(dir, "state")
	file := filepath.Join(dir, "config.yaml")
	write(t, file, "node: linux-1\nheartbaet: 1s\n")
	for _, test := range []struct {
		name, program string
		args          []string
		says          []string
	}{
		{"no server", "worker", []string{"--node=a", state}, []string{"--nats", "nats://127.0.0.1:4222"}},
		{"no state", "worker", []string{nats, "--node=a"}, []string{"--state-dir", "a directory"}},
		{"a node that is no token", "worker", []string{nats, "--node=a.b", state}, []string{"--node", `"a.b"`, "A-Z a-z 0-9"}},
		{"a node of shunt's own", "worker", []string{nats, "--node=_placer", state}, []string{"--node", `"_placer"`, "beginning with _"}},
		{"an unknown runtime", "worker", []string{nats, "--node=a", state, "--runtime=docker"}, []string{"--runtime", `"docker"`, "containerd or memory"}},
		{"platforms of a real runtime", "worker", []string{nats, "--node=a", state, "--platforms=linux/amd64"}, []string{"--platforms", "linux/amd64", "memory"}},
		{"a platform that is none", "worker", []string{nats, "--node=a", state, "--runtime=memory", "--platforms=plan9/amd64"}, []string{"--platforms", "plan9", "linux, windows or darwin"}},
		{"a duration without a unit", "worker", []string{nats, "--node=a", state, "--heartbeat=3"}, []string{"--heartbeat", `"3"`, "unit"}},
		{"a time-to-live that is too short", "worker", []string{nats, "--node=a", state, "--runtime=memory", "--heartbeat=3s", "--ttl=4s"}, []string{"--ttl", "4s", "twice the heartbeat"}},
		{"an unknown flag", "worker", []string{"--nide=a"}, []string{"--nide"}},
		{"an unknown level", "worker", []string{nats, "--node=a", state, "--log-level=loud"}, []string{"--log-level", `"loud"`, "debug, info, warn or error"}},
		{"a file with a slip", "worker", []string{"--config=" + file}, []string{file + ":2", "heartbaet", "no such setting"}},
		{"a file that is not there", "worker", []string{"--config=" + file + ".not"}, []string{"--config", file + ".not"}},
		{"an argument", "worker", []string{"linux-1"}, []string{`"linux-1"`}},
		{"neither server", "placer", nil, []string{"--nats", "--embed-nats"}},
		{"both servers", "placer", []string{nats, "--embed-nats=127.0.0.1:0"}, []string{"--nats", "--embed-nats", "want one"}},
		{"an address without a port", "placer", []string{"--embed-nats=localhost", "--store-dir=" + dir}, []string{`"localhost"`, "HOST:PORT"}},
		{"a sync that is no time", "placer", []string{"--embed-nats=127.0.0.1:0", "--store-dir=" + dir, "--sync=often"}, []string{"sync", `"often"`, "always"}},
		{"a placer that is no token", "placer", []string{nats, "--id=a b"}, []string{"--id", `"a b"`}},
		{"a key that is none", "placer", []string{nats, "--xkey=" + file}, []string{"--xkey", file, "begins with SX"}},
		{"two copies", "placer", []string{nats, "--replicas=2"}, []string{"--replicas", "2", "1, or 3"}},
		{"copies on one server", "placer", []string{"--embed-nats=127.0.0.1:0", "--replicas=3"}, []string{"--replicas", "3", "cluster"}},
		{"a root that is no token", "placer", []string{nats, "--subject-root=a.b"}, []string{"--subject-root", `"a.b"`}},
		{"too small a store", "placer", []string{nats, "--store-size=1"}, []string{"--store-size", "1 bytes", "at least"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, test.program, test.args...)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
			_ = cmd.Wait() // how it ended is in ProcessState
			late.Stop()
			if code := cmd.ProcessState.ExitCode(); code != 2 {
				t.Errorf("it ended with %d, want 2", code)
			}
			for _, word := range test.says {
				if !strings.Contains(errs.String(), word) {
					t.Errorf("%q does not name %q", errs.String(), word)
				}
			}
			if out.Len() > 0 {
				t.Errorf("standard output has %q, want nothing", out.String())
			}
		})
	}
}

// TestSettings gives one setting in each of the three ways: flags win over the
// environment, and that over the file.
func TestSettings(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	file := filepath.Join(f.dir, "worker.yaml")
	write(t, file, `
nats: `+f.nats.url+`
node: from-file
state-dir: `+f.state("configured")+`
runtime: memory
platforms: [linux/amd64, "windows(10.0.20348)/amd64"]
label: {disk: ssd, zone: from-file}
heartbeat: 500ms
ttl: 3s
`)
	p := startWith(t, "configured", "worker", []string{"SHUNT_NODE=from-environment", "SHUNT_TTL=4s", "SHUNT_LABEL=zone=from-environment"},
		"--config", file, "--node", "from-flag")
	if got := p.ready["node"]; got != "from-flag" {
		t.Errorf("the ready line says node=%s, want from-flag", got)
	}
	f.awaitNode("from-flag", "alive")
	expect(t, "the node", f.nats.request("shunt.placer.nodes", "").document, map[string]string{
		"nodes.0.node": "from-flag", "nodes.0.ttl": "4s", "nodes.0.interval": "500ms",
		"nodes.0.labels.zone": "from-environment", "nodes.0.labels.disk": "",
		"nodes.0.platforms.0.os": "linux", "nodes.0.platforms.1.os": "windows", "nodes.0.platforms.1.os_version": "10.0.20348",
	})
}

// TestGoodbye ends a worker by SIGTERM: the fleet hears at once that it has
// left, and the next one on its state is the same node.
func TestGoodbye(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.pretender(linuxNode, "linux/amd64", "--ttl", "600s") // only a goodbye can be what is heard
	before := f.nats.request("shunt.node.linux-1.info", "").at("incarnation")
	worker.stop()
	f.awaitNode(linuxNode, "left")
	f.pretender(linuxNode, "linux/amd64")
	after := f.nats.request("shunt.node.linux-1.info", "").at("incarnation")
	journal, _, _ := strings.Cut(before, ".")
	if before != journal+".1" || after != journal+".2" {
		t.Errorf("the incarnations are %s and %s, want one journal, opened once and then again", before, after)
	}
	f.placer.stop()
	f.startPlacer(f.address())
	f.nats.publish("shunt.job.later", `{"v":1,"id":"later","op":"run","spec":{"image":"`+f.linuxImage("true")+`"}}`)
	expect(t, "the last word", f.nats.done("later"), map[string]string{"state": "completed", "node": linuxNode})
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
