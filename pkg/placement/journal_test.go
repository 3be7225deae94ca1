package placement

import (
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A node that has lost its journal must not be sent the same attempt again: it
// would not know that it had begun it.
func TestAnAttemptIsForTheJournalItWasPlacedWith(t *testing.T) {
	before := node("a", "linux/amd64")
	r := submit(t, runJob(), fleetOf(t, epoch, before), epoch)
	if r.Journal != "ja" {
		t.Fatalf("placed with the journal %q of a node whose journal is ja", r.Journal)
	}

	wiped := before
	wiped.Incarnation = "other.1"
	peers := fleetOf(t, epoch, wiped)
	still, _ := next(t, r, Tick{}, peers, epoch)
	if still.Journal != "ja" || still.Attempt != r.Attempt {
		t.Errorf("attempt %d is for the journal %q now", still.Attempt, still.Journal)
	}

	wrong := outcome(messages.StatusRejected, of("a", r.Attempt, 1), func(o *messages.Outcome) {
		o.Error = &messages.Error{Code: messages.CodeWrongIncarnation, Message: "another journal", Retryable: true}
	})
	later := epoch.Add(minBackoff)
	r, _ = next(t, r, Reported{wrong}, peers, epoch)
	r, _ = next(t, r, Tick{}, peers, later)
	if r.State != messages.StateAssigned || r.Attempt != 2 || r.Journal != "other" {
		t.Errorf("%s, attempt %d, journal %q; want the next attempt with the new journal", r.State, r.Attempt, r.Journal)
	}
}
