package placement

import (
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// events are all the kinds of event there are, each in every form that Next
// tells apart.
var events = map[string]Event{
	"submitted, the same job": Submitted{Job: runJob(), Fingerprint: fingerprint},
	"submitted, another job":  Submitted{Job: runJob(), Fingerprint: another},

	"accepted":           Reported{outcome(messages.StatusAccepted)},
	"running":            Reported{outcome(messages.StatusRunning)},
	"completed":          Reported{outcome(messages.StatusCompleted)},
	"failed":             Reported{outcome(messages.StatusFailed)},
	"failed, may pass":   Reported{outcome(messages.StatusFailed, passing)},
	"refused":            Reported{outcome(messages.StatusRouteToPeer)},
	"interrupted":        Reported{outcome(messages.StatusInterrupted)},
	"revoked":            Reported{outcome(messages.StatusRevoked)},
	"rejected":           Reported{outcome(messages.StatusRejected)},
	"rejected, may pass": Reported{outcome(messages.StatusRejected, passing)},

	"accepted, an old attempt":    Reported{outcome(messages.StatusAccepted, of("a", 1, 1))},
	"completed, an old attempt":   Reported{outcome(messages.StatusCompleted, of("a", 1, 2))},
	"completed, another node":     Reported{outcome(messages.StatusCompleted, of("b", 2, 2))},
	"completed, an attempt to be": Reported{outcome(messages.StatusCompleted, of("a", 3, 2))},
	"unheard":                     Unheard{"a", 2},
	"unheard, an old attempt":     Unheard{"a", 1},
	"cancel":                      CancelAsked{Reason: "enough"},
	"tick":                        Tick{},
}

// same says that the event leaves the record as it is, and asks for nothing.
const same = "same"

// table is every event in every state: the state that follows and the effects.
var table = map[messages.State]map[string]string{
	messages.StatePending: {
		"submitted, the same job":     same,
		"submitted, another job":      "same; reject(id_conflict)",
		"accepted":                    "pending; revoke(a 2)",
		"running":                     "pending; revoke(a 2)",
		"completed":                   "pending; late", // nobody holds it now; only the history learns
		"failed":                      "pending; late",
		"failed, may pass":            "pending; late",
		"refused":                     "pending; late",
		"interrupted":                 "pending; late",
		"revoked":                     "pending; late",
		"rejected":                    "pending; late",
		"rejected, may pass":          "pending; late",
		"accepted, an old attempt":    "pending; revoke(a 1)",
		"completed, an old attempt":   "pending; late",
		"completed, another node":     "pending; late",
		"completed, an attempt to be": "completed; finish delete",
		"unheard":                     same,
		"unheard, an old attempt":     same,
		"cancel":                      "cancelled; finish delete tell(cancelled)",
		"tick":                        "assigned; command(a 3) tell(placed)",
	},
	messages.StateAssigned: {
		"submitted, the same job":     same,
		"submitted, another job":      "same; reject(id_conflict)",
		"accepted":                    "running;",
		"running":                     "running;",
		"completed":                   "completed; finish delete",
		"failed":                      "failed; finish delete",
		"failed, may pass":            "pending;",
		"refused":                     "assigned; command(b 3) tell(refused) tell(placed)",
		"interrupted":                 "interrupted; finish delete",
		"revoked":                     "cancelled; finish delete tell(cancelled)",
		"rejected":                    "failed; finish delete",
		"rejected, may pass":          same, // it says nothing: the same attempt is sent again
		"accepted, an old attempt":    "assigned; revoke(a 1) command(a 2)",
		"completed, an old attempt":   "assigned; command(a 2); late",
		"completed, another node":     "assigned; command(a 2); late",
		"completed, an attempt to be": "completed; revoke(a 2) finish",
		"unheard":                     "assigned; command(b 3) tell(placed)",
		"unheard, an old attempt":     same,
		"cancel":                      "cancelling; revoke(a 2)",
		"tick":                        same,
	},
	messages.StateRunning: {
		"submitted, the same job":     same,
		"submitted, another job":      "same; reject(id_conflict)",
		"accepted":                    "running;",
		"running":                     "running;",
		"completed":                   "completed; finish delete",
		"failed":                      "failed; finish delete",
		"failed, may pass":            "pending;",
		"refused":                     "assigned; command(b 3) tell(refused) tell(placed)",
		"interrupted":                 "interrupted; finish delete",
		"revoked":                     "cancelled; finish delete tell(cancelled)",
		"rejected":                    same, // its sequence is not new: the attempt goes on
		"rejected, may pass":          same,
		"accepted, an old attempt":    "running; revoke(a 1)",
		"completed, an old attempt":   "running;; late",
		"completed, another node":     "running;; late",
		"completed, an attempt to be": "completed; revoke(a 2) finish",
		"unheard":                     same,
		"unheard, an old attempt":     same,
		"cancel":                      "cancelling; revoke(a 2)",
		"tick":                        same,
	},
	messages.StateCancelling: {
		"submitted, the same job":     same,
		"submitted, another job":      "same; reject(id_conflict)",
		"accepted":                    "cancelling; revoke(a 2)",
		"running":                     "cancelling; revoke(a 2)",
		"completed":                   "completed; finish delete",
		"failed":                      "cancelled; finish delete tell(cancelled)",
		"failed, may pass":            "cancelled; finish delete tell(cancelled)",
		"refused":                     "cancelled; finish delete tell(cancelled)",
		"interrupted":                 "cancelled; finish delete tell(cancelled)",
		"revoked":                     "cancelled; finish delete tell(cancelled)",
		"rejected":                    "cancelled; finish delete tell(cancelled)",
		"rejected, may pass":          same, // the revoke stays owed
		"accepted, an old attempt":    "cancelling; revoke(a 1) revoke(a 2)",
		"completed, an old attempt":   "cancelling; revoke(a 2); late",
		"completed, another node":     "cancelling; revoke(a 2); late",
		"completed, an attempt to be": "completed; revoke(a 2) finish",
		"unheard":                     same,
		"unheard, an old attempt":     same,
		"cancel":                      same,
		"tick":                        same,
	},
}

// ended is every event in each of the six states in which a job has ended.
func ended(state messages.State, event string) string {
	switch event {
	case "accepted, an old attempt":
		return string(state) + "; revoke(a 1) finish"
	case "submitted, the same job":
		return "same; repeat"
	case "submitted, another job":
		return "same; reject(id_conflict)"
	}
	return same
}

func TestNextEveryEventInEveryState(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	for _, state := range messages.States() {
		if !state.Ended() && len(table[state]) != len(events) {
			t.Errorf("the table has %d of %d events in %q", len(table[state]), len(events), state)
		}
		for name, ev := range events {
			t.Run(string(state)+"/"+name, func(t *testing.T) {
				r := recordIn(state)
				got, effects := next(t, r, ev, peers, epoch.Add(time.Minute))
				want, ok := table[state][name]
				if state.Ended() {
					want, ok = ended(state, name), true
				}
				if !ok {
					t.Fatal("the table does not say what follows")
				}
				if said := told(r, got, effects); said != want {
					t.Errorf("it follows %q, want %q", said, want)
				}
			})
		}
	}
}

// told is a step as the table writes it.
func told(before, after *messages.Record, effects []Effect) string {
	said := string(after.State) + ";"
	if after == before {
		said = same
		if len(effects) > 0 {
			said += ";"
		}
	}
	if e := show(effects); e != "" {
		said += " " + e
	}
	if n := len(after.History); n > len(before.History) && len(after.History[n-1].Event) > 5 && after.History[n-1].Event[:5] == "late_" {
		if said[len(said)-1] != ';' || after.State == messages.StateRunning {
			said += ";"
		}
		said += " late"
	}
	return said
}

// Without a record, only a job or a direct command begins one.
func TestNextWithoutARecord(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	body := runJob()
	direct := func(o *messages.Outcome) { o.JobBody, o.Fingerprint, o.Attempt, o.Seq = &body, fingerprint, 1, 1 }
	old, revoke := runJob(), runJob()
	old.Created = epoch.Add(-MaxAge - time.Second)
	revoke.Op, revoke.Spec, revoke.Args.Attempt = messages.OpRevoke, nil, 1
	for name, c := range map[string]struct {
		ev   Event
		want string
	}{
		"submitted":                    {Submitted{Job: runJob(), Fingerprint: fingerprint}, "assigned; command(a 1) tell(placed)"},
		"submitted, too old":           {Submitted{Job: old, Fingerprint: fingerprint}, "none; reject(expired)"},
		"submitted, a revoke":          {Submitted{Job: revoke, Fingerprint: fingerprint}, "none; reject(permission_denied)"},
		"accepted directly":            {Reported{outcome(messages.StatusAccepted, direct)}, "running;"},
		"refused directly":             {Reported{outcome(messages.StatusRouteToPeer, direct)}, "assigned; command(b 2) tell(refused) tell(placed)"},
		"completed, nobody knows what": {Reported{outcome(messages.StatusCompleted)}, "none;"},
		"unheard":                      {Unheard{"a", 1}, "none;"},
		"cancel":                       {CancelAsked{"enough"}, "none;"},
		"tick":                         {Tick{}, "none;"},
	} {
		t.Run(name, func(t *testing.T) {
			got, effects := next(t, nil, c.ev, peers, epoch)
			said := "none;"
			if got != nil {
				said = string(got.State) + ";"
			}
			if e := show(effects); e != "" {
				said += " " + e
			}
			if said != c.want {
				t.Errorf("it follows %q, want %q", said, c.want)
			}
		})
	}
}
