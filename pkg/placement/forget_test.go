package placement

import (
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// beats is a table that hears one node, so that its heartbeats have a past.
type beats struct {
	table *peer.Table
	caps  messages.Capabilities
}

func newBeats(c messages.Capabilities) *beats { return &beats{peer.NewTable(0), c} }

func (b *beats) at(now time.Time, change ...func(*messages.Capabilities)) peer.Snapshot {
	b.caps.Seq++
	for _, f := range change {
		f(&b.caps)
	}
	b.table.Hear(b.caps, now)
	return b.table.Snapshot()
}

func refusedBy(code messages.RefuseCode, times int, last time.Time) *messages.Job {
	job := runJob()
	for i := range times {
		job.Refuse(messages.Refusal{Node: "a", Attempt: uint64(i + 1), Code: code, Reason: "no", At: last})
	}
	return &job
}

func TestAPassingRefusalIsForgottenByANewerHeartbeatAfterABackoff(t *testing.T) {
	for _, code := range []messages.RefuseCode{messages.RefuseCapacity, messages.RefuseDraining} {
		for times, backoff := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 40: time.Minute} {
			heard := newBeats(node("a", "linux/amd64"))
			peers := heard.at(epoch)
			job := refusedBy(code, times, epoch)
			if _, ok := Choose(job, nil, peers, epoch.Add(time.Hour)); ok {
				t.Errorf("%s x%d: asked again without a newer heartbeat", code, times)
			}
			peers = heard.at(epoch.Add(1))
			if _, ok := Choose(job, nil, peers, epoch.Add(backoff-1)); ok {
				t.Errorf("%s x%d: asked again before %v", code, times, backoff)
			}
			if _, ok := Choose(job, nil, peers, epoch.Add(backoff)); !ok {
				t.Errorf("%s x%d: not asked again after %v", code, times, backoff)
			}
		}
	}
}

func TestOtherRefusalsHoldUntilTheNodeCanDoSomethingElse(t *testing.T) {
	label := func(c *messages.Capabilities) { c.Labels = map[string]string{"disk": "ssd"} }
	room := func(c *messages.Capabilities) { c.Free.Memory++ }
	restarted := func(c *messages.Capabilities) { c.Incarnation = "ja.2" }
	for _, code := range []messages.RefuseCode{messages.RefusePlatform, messages.RefuseOSVersion, messages.RefuseLabels, messages.RefusePolicy} {
		heard := newBeats(node("a", "linux/amd64"))
		heard.at(epoch)
		job := refusedBy(code, 1, epoch)
		if _, ok := Choose(job, nil, heard.at(epoch.Add(time.Hour), room), epoch.Add(time.Hour)); ok {
			t.Errorf("%s: a heartbeat with more room forgets it", code)
		}
		if _, ok := Choose(job, nil, heard.at(epoch.Add(2*time.Hour), label), epoch.Add(2*time.Hour)); !ok {
			t.Errorf("%s: another label does not forget it", code)
		}
		again := refusedBy(code, 1, epoch.Add(3*time.Hour))
		if _, ok := Choose(again, nil, heard.at(epoch.Add(4*time.Hour), restarted), epoch.Add(4*time.Hour)); !ok {
			t.Errorf("%s: a worker that was restarted is not asked again", code)
		}
	}
}

func TestANodeIsNotJudgedByAnothersRefusal(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	if got, _ := Choose(refusedBy(messages.RefusePolicy, 3, epoch), nil, peers, epoch); got != "b" {
		t.Errorf("chosen is %q", got)
	}
}
