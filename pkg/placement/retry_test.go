package placement

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestRetryAndItsLimits(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	for name, c := range map[string]struct {
		policy messages.Policy
		starts int
		said   messages.Outcome
		want   messages.State
		reason string
	}{
		"a failure that may pass":                 {messages.Policy{}, 1, outcome("failed", passing), "pending", "registry is away"},
		"the last start":                          {messages.Policy{}, 5, outcome("failed", passing), "dead", "started 5 times"},
		"max_attempts":                            {messages.Policy{MaxAttempts: 1}, 1, outcome("failed", passing), "dead", "started 1 times"},
		"a failure for good":                      {messages.Policy{}, 1, outcome("failed"), "failed", "a bad job"},
		"an exit code":                            {messages.Policy{}, 1, outcome("failed", exit(3)), "failed", "exit code 3"},
		"an exit code, retry_exit":                {messages.Policy{RetryExit: true}, 1, outcome("failed", exit(3)), "pending", "exit code 3"},
		"an exit code, retry_exit, used up":       {messages.Policy{RetryExit: true, MaxAttempts: 1}, 1, outcome("failed", exit(3)), "dead", "exit code 3"},
		"interrupted":                             {messages.Policy{}, 1, outcome("interrupted"), "interrupted", "a bad job"},
		"interrupted, idempotent":                 {messages.Policy{Idempotent: true}, 1, outcome("interrupted"), "pending", "a bad job"},
		"interrupted, idempotent, starts used up": {messages.Policy{Idempotent: true, MaxAttempts: 1}, 1, outcome("interrupted"), "dead", "a bad job"},
	} {
		t.Run(name, func(t *testing.T) {
			r := recordIn(messages.StateRunning)
			r.Job.Policy, r.Starts = c.policy, c.starts
			r, effects := next(t, r, Reported{c.said}, peers, epoch)
			if r.State != c.want || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("it is %s (%s), want %s (%s)", r.State, r.Reason, c.want, c.reason)
			}
			if dead := strings.Contains(show(effects), "tell(dead)"); dead != (c.want == messages.StateDead) {
				t.Errorf("effects: %s", show(effects))
			}
			if c.want == messages.StatePending && !r.NotBefore.After(epoch) {
				t.Error("it is tried again at once")
			}
		})
	}
}

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	for _, c := range []struct {
		lo, hi time.Duration
		starts int
		want   time.Duration
	}{
		{0, 0, 0, time.Second},
		{0, 0, 1, time.Second},
		{0, 0, 4, 8 * time.Second},
		{0, 0, 1000, 5 * time.Minute},
		{time.Minute, 90 * time.Second, 2, 90 * time.Second},
		{time.Hour, 0, 1, time.Hour},
		{time.Hour, 0, 9, time.Hour},
		{1 << 61, 1 << 62, 9, 1 << 62},
	} {
		job := runJob()
		job.Policy.Backoff = messages.Backoff{Min: messages.Duration(c.lo), Max: messages.Duration(c.hi)}
		got := backoff(&job, c.starts)
		if got > c.want || got < c.want-c.want/4 {
			t.Errorf("%v to %v, %d starts: %v, want %v less up to a quarter", c.lo, c.hi, c.starts, got, c.want)
		}
		if again := backoff(&job, c.starts); again != got {
			t.Errorf("two placers wait %v and %v", got, again)
		}
	}
}

func TestARetryWaitsForItsTimeAndThenTakesANewAttempt(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	r, _ = next(t, r, Reported{outcome("failed", passing)}, peers, epoch)
	if got, _ := next(t, r, Tick{}, peers, r.NotBefore.Add(-1)); got != r {
		t.Errorf("before its time it is %s", got.State)
	}
	r, effects := next(t, r, Tick{}, peers, r.NotBefore)
	if r.Attempt != 3 || r.Starts != 1 || show(effects) != "command(a 3) tell(placed)" {
		t.Errorf("attempt %d after %d starts: %s", r.Attempt, r.Starts, show(effects))
	}
	if r.Reason != "" || !r.NotBefore.IsZero() {
		t.Errorf("it is placed and still waits until %v: %s", r.NotBefore, r.Reason)
	}
}

func TestADeadlineEndsAJobThatWaits(t *testing.T) {
	job := runJob()
	job.Policy.Deadline = messages.Duration(time.Hour)
	r := submit(t, job, fleetOf(t, epoch), epoch)
	if r.State != messages.StatePending || r.Reason != "no node has been heard of" {
		t.Fatalf("it is %s: %s", r.State, r.Reason)
	}
	peers := fleetOf(t, epoch, node("w", "windows/amd64"))
	if got, _ := next(t, r, Tick{}, peers, epoch.Add(time.Hour)); got.State != messages.StateAssigned {
		t.Errorf("on its deadline it is %s", got.State)
	}
	got, effects := next(t, r, Tick{}, peers, epoch.Add(time.Hour+1))
	if got.State != messages.StateDead || !strings.Contains(got.Reason, "1h0m0s is over; last: no node has been heard of") {
		t.Errorf("it is %s: %s", got.State, got.Reason)
	}
	if show(effects) != "finish delete tell(dead)" {
		t.Errorf("effects: %s", show(effects))
	}
}

// Nodes that beat and do not answer are asked in turns, at a pace.
func TestUnheardIsAskedElsewhereAtOnceAndThenAtAPace(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	r := submit(t, runJob(), peers, epoch)
	first := r.Node
	r, _ = next(t, r, Unheard{r.Node, r.Attempt}, peers, epoch)
	if r.State != messages.StateAssigned || r.Node == first {
		t.Fatalf("it is %s on %s", r.State, r.Node)
	}
	asks, now := 0, epoch
	for ; now.Before(epoch.Add(time.Minute)); now = now.Add(100 * time.Millisecond) {
		if r.State == messages.StateAssigned {
			asks++
			r, _ = next(t, r, Unheard{r.Node, r.Attempt}, peers, now)
		}
		r, _ = next(t, r, Tick{}, peers, now)
	}
	if asks < 5 || asks > 15 {
		t.Errorf("asked %d times in a minute", asks)
	}
	if r.State == messages.StatePending && r.Reason == "" {
		t.Error("it waits without a reason")
	}
}

func TestUnheardByTheOnlyNodeWaitsWithAReason(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	r, _ := next(t, recordIn(messages.StateAssigned), Unheard{"a", 2}, peers, epoch)
	if r.State != messages.StatePending || !strings.Contains(r.Reason, "did not answer") || r.NotBefore != epoch.Add(time.Second) {
		t.Fatalf("it is %s until %v: %s", r.State, r.NotBefore, r.Reason)
	}
	if r, _ = next(t, r, Tick{}, peers, epoch.Add(time.Second)); r.State != messages.StateAssigned || r.Attempt != 3 {
		t.Errorf("a second later it is %s, attempt %d", r.State, r.Attempt)
	}
}

// The reason of a job that waits has numbers in it; each new one is not worth a
// write.
func TestAReasonIsWrittenAtAPace(t *testing.T) {
	job := runJob()
	job.Spec.Resources.CPUMilli = 6000
	heard := newBeats(node("a", "linux/amd64"))
	r := submit(t, job, heard.at(epoch), epoch)
	writes := 0
	for s := range 60 {
		now := epoch.Add(time.Duration(s) * time.Second)
		got, _ := next(t, r, Tick{}, heard.at(now, func(c *messages.Capabilities) { c.Free.CPUMilli-- }), now)
		if got != r {
			writes++
		}
		r = got
	}
	if writes < 4 || writes > 6 {
		t.Errorf("the reason was written %d times in a minute", writes)
	}
}

// A cancel that comes again, late, is not about the life that has begun since.
func TestACancelThatComesAgainEndsNoLaterLife(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	r, _ := next(t, recordIn(messages.StatePending), CancelAsked{Reason: "enough", Order: 5}, peers, epoch)
	if r.State != messages.StateCancelled {
		t.Fatalf("it is %s", r.State)
	}
	r, _ = next(t, r, RetryAsked{Reason: "once more"}, peers, epoch)
	if same, effects := next(t, r, CancelAsked{Reason: "enough", Order: 5}, peers, epoch); same != r || len(effects) > 0 {
		t.Errorf("the same cancel again: it is %s, %s", same.State, show(effects))
	}
	for _, another := range []CancelAsked{{Reason: "enough", Order: 6}, {Reason: "by a verb"}} {
		if got, _ := next(t, r, another, peers, epoch); got.State != messages.StateCancelling {
			t.Errorf("another cancel: it is %s", got.State)
		}
	}
}
