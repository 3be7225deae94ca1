package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/internal/debimage"
)

// TestProgramsAtTheirWorst has Debian's busybox run out of memory, ignore TERM,
// print a gigabyte and fork to its limit. What follows is told as it was, and the
// node goes on with the next job.
func TestProgramsAtTheirWorst(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	image := f.debian(f.private(), "team/busybox:1", debimage.Config{
		Packages: []string{"busybox-static"},
		Config:   v1.Config{Entrypoint: []string{"/bin/busybox", "sh", "-c"}},
	})
	run := func(job, more, script string) document {
		t.Helper()
		f.nats.publish("shunt.job."+job, fmt.Sprintf(
			`{"v":1,"id":%q,"op":"run","target":"linux-1","spec":{"image":%q,"network":"none","args":[%q]%s}}`, job, image, script, more))
		return f.nats.done(job)
	}

	eats := run("eats", `,"resources":{"memory":67108864}`, `exec busybox awk 'BEGIN { s = "shunt"; for (;;) s = s s }'`)
	expect(t, "out of memory", eats, map[string]string{"state": "failed", "outcome.result.exit_code": "137", "outcome.result.exit_reason": "oom_killed"})

	prints := run("prints", "", `busybox yes "sixteen letters" | busybox head -c 1073741824; echo the end`)
	expect(t, "a gigabyte of output", prints, map[string]string{"state": "completed"})
	// The stock client is given all that is kept of it, up to the sentinel, and
	// shows it with a newline behind each frame.
	out := f.nats.logs(linuxNode, "prints")
	const kept = 100_000 // lines, of which a file of 8 MiB has more
	words := strings.Fields(out)
	if lines := strings.Count(out, "sixteen letters\n"); lines < kept || strings.Join(words[max(0, len(words)-6):], " ") != "sixteen letters the end nil body" {
		t.Errorf("of the gigabyte %d lines arrive, and then %q", lines, out[max(0, len(out)-40):])
	}

	forks := run("forks", `,"resources":{"pids":16}`, `i=0; while [ $i -lt 200 ]; do busybox sleep 600 & i=$((i+1)); done; echo all of them`)
	expect(t, "a fork over the limit", forks, map[string]string{"state": "failed", "outcome.result.exit_reason": "exited"})
	if out := f.nats.logs(linuxNode, "forks"); !strings.Contains(out, "can't fork") {
		t.Errorf("the program says %q", out)
	}

	record := f.serve("deaf-1", "deaf", fmt.Sprintf(
		`{"image":%q,"network":"none","args":["trap '' TERM; echo up; while :; do busybox sleep 1; done"],"stop_grace":"1s"}`, image))
	expect(t, "the deaf one", record, map[string]string{"node": linuxNode})
	// A child that is left behind holds the output open, and goes on printing.
	if out := f.exec("left", "deaf", `"/bin/busybox","sh","-c","(while :; do echo still; busybox sleep 0.1; done) & echo first"`); !strings.Contains(out, "first\n") {
		t.Errorf("the program whose child goes on has said %q", out)
	}
	f.nats.publish("shunt.job.stop", `{"v":1,"id":"stop","op":"stop","service":"deaf","target":"linux-1"}`)
	expect(t, "the stop", f.nats.done("stop"), map[string]string{"state": "completed", "outcome.result.exit_code": "137", "outcome.result.changed": "true"})

	expect(t, "the next job", run("next", "", "echo still here"), map[string]string{"state": "completed"})
}
