package messagestest_test

import (
	"encoding/json"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/messages/messagestest"
)

const root = messages.Root("fleet")

// read does what every receiver does.
func read(f messagestest.Fault) error {
	d, _ := messages.Describe(f.Message)
	m, err := d.Decode(f.Body)
	if err != nil {
		return err
	}
	return root.CheckSubject(f.Subject, m)
}

// TestFaultsAreFound sends each fault through the decoder of its subject.
func TestFaultsAreFound(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range messagestest.Faults(root, "linux-1", "web-42") {
		t.Run(f.Name, func(t *testing.T) {
			if seen[f.Name] {
				t.Error("there are two faults of this name")
			}
			seen[f.Name] = true
			e := messages.AsError(read(f))
			if e == nil {
				t.Fatalf("accepted: %.200s", f.Body)
			}
			if e.Code != f.WantCode || e.Field != f.WantField {
				t.Errorf("answered with %s %q (%v); want %s %q: %.200s", e.Code, e.Field, e, f.WantCode, f.WantField, f.Body)
			}
			if len(f.Body) > messages.MaxBusPayload {
				t.Errorf("the body has %d bytes, so the bus would not carry it", len(f.Body))
			}
		})
	}
}

// TestFaultsAreTheOnlyFault shows that the body each fault is made from is
// right, or a fault could be found for another reason.
func TestFaultsAreTheOnlyFault(t *testing.T) {
	subjects := make(map[string]bool)
	for _, f := range messagestest.Faults(root, "linux-1", "web-42") {
		if f.WantField == "" || f.WantField == "v" || subjects[f.Subject] {
			continue
		}
		subjects[f.Subject] = true
		valid := messagestest.ValidBody(root, f.Subject, f.Message, "linux-1", "web-42")
		data, err := json.Marshal(valid)
		if err != nil {
			t.Fatal(err)
		}
		f.Body = data
		if err := read(f); err != nil {
			t.Errorf("%s: the body that the faults are made from is refused: %v", f.Subject, err)
		}
	}
	for _, d := range messages.All() {
		for _, r := range d.Routes {
			if d.Name != "EmptyRequest" && messagestest.Incoming(r.Part) && !subjects[messagestest.Subject(root, r, "linux-1", "web-42")] {
				t.Errorf("there is no fault of a field for %s on %s", d.Name, r.Subject)
			}
		}
	}
}

// TestEveryIncomingMessageHasWrongValues fails when a new message is
// registered that nobody has said wrong values for.
func TestEveryIncomingMessageHasWrongValues(t *testing.T) {
	for _, d := range messages.All() {
		for _, r := range d.Routes {
			if messagestest.Incoming(r.Part) && !messagestest.HasWrongValues(d.Name) {
				t.Errorf("%s comes in on %s, and messagestest knows no wrong value for it", d.Name, r.Subject)
			}
		}
	}
}
