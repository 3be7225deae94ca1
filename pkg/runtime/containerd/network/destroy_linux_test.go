package network

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/testenv"
)

// TestDestroyAfterAKillAtAnyStep leaves what a process leaves that is killed
// while it takes a node's network away, and, which is worse, what is left when
// the node's directories went with it.
func TestDestroyAfterAKillAtAnyStep(t *testing.T) {
	testenv.Iptables(t)
	for steps := range 4 {
		n := testNetworks(t, &bytes.Buffer{})
		if err := errors.Join(n.Prepare(t.Context(), "c", Request{Hostname: "c"}), n.Connect(t.Context(), "c"), n.Forget(t.Context(), "c")); err != nil {
			t.Fatal(err)
		}
		for i, r := range rulesFor(n.Bridge(), n.ready.subnet) {
			if i >= steps {
				break
			}
			if out, err := exec.Command("iptables", append([]string{"-t", r.table, "-D", r.chain}, r.spec...)...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		if err := errors.Join(os.RemoveAll(n.cfg.RunDir), os.RemoveAll(n.cfg.StateDir)); err != nil {
			t.Fatal(err)
		}
		if err := open(t, n.cfg).Destroy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rules := savedRules(t); strings.Contains(rules, n.Bridge()) {
			t.Errorf("after %d steps: rules are left:\n%s", steps, rules)
		}
		if _, err := os.Stat("/sys/class/net/" + n.Bridge()); err == nil {
			t.Errorf("after %d steps: the bridge is left", steps)
		}
	}
}
