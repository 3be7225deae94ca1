package placement

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// newcomer is a service that takes the name web over from the job old, which is
// on node a.
func newcomer(change ...func(*messages.Job)) messages.Job {
	job := runJob()
	job.Kind, job.Service, job.Args.Replace = messages.KindService, "web", true
	for _, f := range change {
		f(&job)
	}
	return job
}

// heldByOld says that old, on node a, holds the name.
func heldByOld(job *messages.Job) Claimed {
	held := recordIn(messages.StateRunning)
	held.Job.ID, held.Order = "old", 1
	return Claimed{Holder: "old", Other: held, Next: job.ID}
}

// toReplace is the record of a newcomer that has been told so.
func toReplace(t *testing.T, job messages.Job, peers peer.Snapshot) (*messages.Record, []Effect) {
	t.Helper()
	r, effects := next(t, nil, Submitted{Job: job, Fingerprint: fingerprint, Holder: "old"}, peers, epoch)
	if r == nil || show(effects) != "claim" {
		t.Fatalf("it begins with %s", show(effects))
	}
	return next(t, r, heldByOld(&job), peers, epoch)
}

// The one before is not touched until its replacement is healthy and has the name;
// then its end is owed, until it is known.
func TestAServiceIsReplacedMakeBeforeBreak(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	job := newcomer()
	r, effects := toReplace(t, job, peers)
	for _, c := range []struct {
		what string
		ev   Event
		want string // of the record's state and what is due and done
	}{
		{"it is placed beside the one before", Tick{}, "assigned b 1; "},
		{"accepted", word("b", 1, messages.StatusAccepted), "running b 1; "},
		{"up, and not healthy", Reported{outcome(messages.StatusRunning, unwell, of("b", 1, 3))}, "running b 1; "},
		{"told again who holds the name", heldByOld(&job), "running b 1; "},
		{"healthy", Reported{outcome(messages.StatusRunning, of("b", 1, 4))}, "running b 1; take"},
		{"it has the name", Claimed{Holder: job.ID}, "running b 1; supersede(old)"},
		{"another has ended", Superseded{Job: "other"}, "running b 1; supersede(old)"},
		{"the one before has ended", Superseded{Job: "old"}, "running b 1; "},
	} {
		r, _ = next(t, r, c.ev, peers, epoch.Add(time.Second))
		if got := told(nil, r, nil) + "; " + strings.TrimPrefix(show(Due(r)), "command(b 1)"); got != c.want {
			t.Fatalf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	if show(effects) != "command(b 1) tell(placed)" || r.Replaces != nil || !r.Named {
		t.Errorf("placed with %s; in the end it replaces %v, named %v", show(effects), r.Replaces, r.Named)
	}
}

// What ends before it has the name leaves the one before alone; what ends after
// that still owes its end.
func TestWhatAReplacementThatEndsOwes(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	for _, named := range []bool{false, true} {
		r, _ := toReplace(t, newcomer(), peers)
		r, _ = next(t, r, Reported{outcome(messages.StatusRunning, of("b", 1, 2))}, peers, epoch)
		if named {
			r, _ = next(t, r, Claimed{Holder: r.Job.ID}, peers, epoch)
		}
		r, effects := next(t, r, Reported{outcome(messages.StatusFailed, of("b", 1, 3))}, peers, epoch)
		want := "finish delete"
		if named {
			want = "finish supersede(old)"
		}
		if r.State != messages.StateFailed || show(effects) != want {
			t.Errorf("named %v: it is %s: %s, want %s", named, r.State, show(effects), want)
		}
		again, effects := next(t, r, RetryAsked{Reason: "mended"}, peers, epoch)
		if named != (show(effects) == "reject(failed_precondition)") || !named && again.Replaces != nil {
			t.Errorf("named %v: the retry is %s: %s", named, again.State, show(effects))
		}
		if named {
			if _, effects = next(t, r, Superseded{Job: "old"}, peers, epoch); show(effects) != "finish delete" {
				t.Errorf("the one before has ended: %s", show(effects))
			}
		}
	}
}

// The holder ends first only where the two cannot be beside each other, and only
// when some node would take its replacement.
func TestWhenTheHolderEndsFirst(t *testing.T) {
	small := node("a", "linux/amd64")
	small.Free.CPUMilli = 0
	volume := func(j *messages.Job) {
		j.Spec.Mounts = []messages.Mount{{Type: messages.MountVolume, Source: "data", Target: "/data"}}
	}
	alone, two := []messages.Capabilities{node("a", "linux/amd64")}, []messages.Capabilities{node("a", "linux/amd64"), node("b", "linux/amd64")}
	for name, c := range map[string]struct {
		nodes  []messages.Capabilities
		change func(*messages.Job)
		want   string
		reason string
	}{
		"two nodes":             {two, func(*messages.Job) {}, "assigned b 1; command(b 1) tell(placed)", ""},
		"one node":              {alone, func(*messages.Job) {}, "pending; claim supersede(old)", "which ends first"},
		"its target":            {two, func(j *messages.Job) { j.Target = "a" }, "pending; claim supersede(old)", "which ends first"},
		"room where the one is": {[]messages.Capabilities{small}, func(j *messages.Job) { j.Spec.Resources.CPUMilli = 100 }, "pending; claim supersede(old)", "which ends first"},
		"never room":            {[]messages.Capabilities{small}, func(j *messages.Job) { j.Spec.Resources.CPUMilli = 1 << 20 }, "pending; claim", "which goes on meanwhile: no node can take it"},
		"another platform":      {two, func(j *messages.Job) { j.Spec.Platform = &messages.Platform{OS: "windows", Arch: "amd64"} }, "pending; claim", "needs windows"},
		"a task":                {two, func(j *messages.Job) { j.Kind = messages.KindTask }, "pending; claim supersede(old)", "which ends first"},
		"a task nobody takes":   {two, func(j *messages.Job) { j.Kind, j.Target = messages.KindTask, "c" }, "pending; claim", "which goes on meanwhile"},
		"never twice at once":   {two, func(j *messages.Job) { j.Policy.OnPartition = messages.PartitionStop }, "pending; claim supersede(old)", "which ends first"},
		"with a volume":         {two, volume, "pending; claim supersede(old)", "which ends first"},
	} {
		r, effects := toReplace(t, newcomer(c.change), fleetOf(t, epoch, c.nodes...))
		if got := told(nil, r, effects); got != c.want || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s: %s (%s), want %s (%s)", name, got, r.Reason, c.want, c.reason)
		}
	}
}

// What the one before has in its volumes is what the new one wants there.
func TestAReplacementGoesToItsVolumes(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	for source, want := range map[string]string{"data": "a", "other": ""} {
		job := newcomer()
		job.Spec.Mounts = []messages.Mount{{Type: messages.MountVolume, Source: source, Target: "/data"}}
		ev := heldByOld(&job)
		settled(ev.Other)
		r, _ := next(t, nil, Submitted{Job: job, Fingerprint: fingerprint, Holder: "old"}, peers, epoch)
		r, _ = next(t, r, ev, peers, epoch)
		if r.Home.Node != want {
			t.Errorf("a volume %s: its home is %q, want %q", source, r.Home.Node, want)
		}
		r, _ = next(t, r, Claimed{Holder: job.ID}, peers, epoch)
		if r.State != messages.StateAssigned || want != "" && r.Node != want {
			t.Errorf("a volume %s: it is %s on %s", source, r.State, r.Node)
		}
	}
}

// Of two that ask for one name the one that came before ends, not the holder.
func TestTheNextInLineForANameEndsFirst(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	job := newcomer()
	r, _ := next(t, nil, Submitted{Job: job, Fingerprint: fingerprint, Holder: "old"}, peers, epoch)
	ev := heldByOld(&job)
	ev.Next = "other"
	r, effects := next(t, r, ev, peers, epoch)
	if r.State != messages.StatePending || show(effects) != "claim supersede(other)" || r.Replaces != nil {
		t.Errorf("it is %s, replaces %v: %s", r.State, r.Replaces, show(effects))
	}
	r.Order, ev.Other.Order = 2, 3
	r, effects = next(t, r, ev, peers, epoch)
	if r.State != messages.StateCancelled || show(effects) != "finish delete tell(cancelled)" || !strings.Contains(r.Reason, "came later") {
		t.Errorf("one that came later is next: it is %s (%s): %s", r.State, r.Reason, show(effects))
	}
}

// A placement beside the one before is explained as it is made.
func TestExplainSaysWhereTheOneBeforeIs(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	r, _ := toReplace(t, newcomer(), peers)
	reply := ExplainRecord(r, peers, epoch)
	for _, v := range reply.Nodes {
		if v.Node == "a" && (v.Code != CodeReplaces || !strings.Contains(v.Reason, "job old is there under the same name")) {
			t.Errorf("of node a it says %q: %s", v.Code, v.Reason)
		}
	}
	if reply.Chosen != "b" {
		t.Errorf("chosen is %q", reply.Chosen)
	}
}
