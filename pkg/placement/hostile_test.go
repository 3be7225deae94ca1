package placement

import (
	"math"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// An attempt above which none can be handed over begins no job: the next one
// would be 0, which is a direct command.
func TestAnAttemptThatIsNoneBeginsNoJob(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	for _, attempt := range []uint64{0, 1 << 53, math.MaxUint64} {
		ev := adopted(messages.StatusAccepted, 1)
		ev.Outcome.Attempt = attempt
		if r, effects := next(t, nil, ev, peers, epoch); r != nil || len(effects) != 0 {
			t.Errorf("attempt %d: %s, %s", attempt, text(t, r), show(effects))
		}
	}
}

// A revoke is an order of placers; no job is one.
func TestARevokeIsNotAdopted(t *testing.T) {
	ev := adopted(messages.StatusAccepted, 1)
	ev.Outcome.JobBody.Op = messages.OpRevoke
	if r, effects := next(t, nil, ev, fleetOf(t, epoch, node("a", "linux/amd64")), epoch); r != nil || len(effects) != 0 {
		t.Errorf("%s, %s", text(t, r), show(effects))
	}
}
