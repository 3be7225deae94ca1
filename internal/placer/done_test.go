package placer_test

import (
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// What a stranger says as a job's last word, and is none, neither blocks the id
// nor keeps the real one from being said.
func TestJunkIsNoLastWord(t *testing.T) {
	for name, junk := range map[string]string{
		"no JSON":       `{`,
		"another job's": `{"v":1,"job":{"v":1,"id":"other","op":"run"},"state":"completed"}`,
		"not ended":     `{"v":1,"job":{"v":1,"id":"web","op":"run"},"state":"pending"}`,
	} {
		t.Run(name, func(t *testing.T) {
			inYard(t, func(t *testing.T, y *yard) {
				y.junk = junk
				y.append(root.Done("web"), []byte(junk))
				y.placer("p1")
				y.worker("linux-1", linux)
				y.submit(task("web", "true"))
				time.Sleep(5 * time.Second)
				if r := y.ended("web"); r.State != messages.StateCompleted || r.Node != "linux-1" {
					t.Errorf("the last word is %s on %q", r.State, r.Node)
				}
				if left := y.left(); len(left) != 0 {
					t.Errorf("records left: %v", left)
				}
			})
		})
	}
}
