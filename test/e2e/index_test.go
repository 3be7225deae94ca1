package e2e_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/internal/toybox"
)

// TestIndex shows that the platforms of an image decide: one that is made for
// both kinds of node runs on either, and one that is made for neither waits.
func TestIndex(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	f.windows()
	native := f.image(toybox.Linux(runtime.GOARCH), "echo", "hello from linux")
	both := f.index("team/both:1", native, f.image(toybox.Windows(""), "echo", "hello from windows"))

	for node, says := range map[string]string{linuxNode: "hello from linux", windowsNode: "hello from windows"} {
		job := "both-on-" + node
		f.nats.publish("shunt.job."+job, fmt.Sprintf(`{"v":1,"id":%q,"op":"run","spec":{"image":%q},"target":%q,"retain":"1m"}`, job, both, node))
		expect(t, "the last word", f.nats.done(job), map[string]string{
			"state": "completed", "node": node, "attempt": "1", "outcome.result.exit_code": "0",
		})
		if out := f.nats.logs(node, job); !strings.Contains(out, says+"\n") {
			t.Errorf("on %s the container says %q, want %q", node, out, says)
		}
	}

	other := "arm64"
	if runtime.GOARCH == other {
		other = "amd64"
	}
	foreign := f.index("team/foreign:1", f.image(toybox.Linux(other)))
	f.nats.publish("shunt.job.foreign", fmt.Sprintf(`{"v":1,"id":"foreign","op":"run","spec":{"image":%q}}`, foreign))
	f.awaitReason("foreign", other)
	for _, node := range []string{linuxNode, windowsNode} {
		answer := f.nats.request("shunt.cmd."+node, fmt.Sprintf(`{"v":1,"id":"foreign-on-%s","op":"run","spec":{"image":%q}}`, node, foreign))
		expect(t, "the answer of "+node, answer.document, map[string]string{
			"status": "route_to_peer", "route_to_peer.code": "platform",
			"route_to_peer.required_arch": other, "route_to_peer.reason": "~" + other,
		})
	}
}

// index pushes an index of images.
func (f *fleet) index(name string, images ...v1.Image) string {
	f.t.Helper()
	index, err := toybox.Index(images...)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.push(name, index)
}

// awaitReason waits until a job waits for a reason that has all the words.
func (f *fleet) awaitReason(job string, words ...string) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("%s waits for a reason with %q", job, words), func() (bool, string) {
		record := f.nats.job(job)
		for _, word := range words {
			if record.at("state") != "pending" || !strings.Contains(record.at("reason"), word) {
				return false, record.String()
			}
		}
		return true, ""
	})
}
