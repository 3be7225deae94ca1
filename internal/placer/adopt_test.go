package placer_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A worker that is written from the contract alone sends job_body and no
// fingerprint. The same job through intake is still the same, and another one
// under its id another.
func TestAJobAdoptedWithoutAFingerprint(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		body := `{"spec":{"image":"team/web:1"},"replica":0,"v":1,"id":"web","op":"run","x-note":"kept"}`
		y.append(root.Outcome("linux-1", "web"), []byte(
			`{"v":1,"job":"web","op":"run","node":"linux-1","attempt":1,"seq":1,"status":"accepted","at":"`+
				time.Now().Format(time.RFC3339Nano)+`","job_body":`+body+`}`))
		y.holds("it is adopted", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		rejected := func() bool {
			y.mu.Lock()
			defer y.mu.Unlock()
			return slices.ContainsFunc(y.outcomes, func(o messages.Outcome) bool { return o.Node == messages.PlacerNode })
		}
		y.append(root.Job("web"), []byte(body))
		time.Sleep(5 * time.Second)
		if synctest.Wait(); rejected() {
			t.Fatalf("the same job again: %v", y.rejection("web"))
		}
		y.append(root.Job("web"), encoded(t, task("web", "true")))
		y.holds("another job of the id is rejected", time.Minute, rejected)
		if e := y.rejection("web"); e.Code != messages.CodeIDConflict {
			t.Errorf("another job of the id: %v", e)
		}
	})
}
