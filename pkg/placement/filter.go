package placement

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// Codes of the filters that are not refusals a worker could give.
const (
	CodeNotAlive = "not_alive"
	CodeTarget   = "target"
	CodeRefused  = "refused"
)

// verdict is why a node is ruled out; the zero verdict rules out nothing.
type verdict struct{ code, reason string }

// question is a job, and what is known of it beyond its own words.
type question struct {
	job *messages.Job
	// platforms would each do; none: not known, so any node may be asked.
	platforms []messages.Platform
	now       time.Time
}

// filter rules a node out, or not. Filters are tried in order and the first to
// object gives the reason, so the ones that hold longest come first.
type filter func(q *question, n *peer.Node) verdict

var filters = []filter{
	filterTarget,
	filterAlive,
	filterPlatform,
	filterLabels,
	filterRefused,
	filterCapacity,
}

// reject is the first objection of any filter to the node.
func reject(q *question, n *peer.Node) verdict {
	for _, f := range filters {
		if v := f(q, n); v.code != "" {
			return v
		}
	}
	return verdict{}
}

// filterTarget keeps a job with a target on it, until the target has refused.
func filterTarget(q *question, n *peer.Node) verdict {
	target := q.job.Target
	if target == "" || n.Name() == target || Refused(q.job, target) {
		return verdict{}
	}
	return verdict{CodeTarget, fmt.Sprintf("the job's target is %s", target)}
}

func filterAlive(_ *question, n *peer.Node) verdict {
	switch n.State {
	case messages.NodeAlive:
		return verdict{}
	case messages.NodeDraining:
		return verdict{string(messages.RefuseDraining), "the node takes no new work: it drains"}
	case messages.NodeLeft:
		return verdict{CodeNotAlive, "the node has left"}
	case messages.NodeQuarantined:
		return verdict{CodeNotAlive, "two workers speak under this name; neither is given work"}
	}
	return verdict{CodeNotAlive, "the node has not been heard for its time-to-live"}
}

func filterPlatform(q *question, n *peer.Node) verdict {
	if len(q.platforms) == 0 || peer.CanRun(&n.Caps, q.platforms) {
		return verdict{}
	}
	return verdict{
		string(messages.RefusePlatform),
		fmt.Sprintf("needs %s, runs %s", platformList(q.platforms), offered(n)),
	}
}

func filterLabels(q *question, n *peer.Node) verdict {
	want := q.job.Requires.Labels
	for _, key := range sortedKeys(want) {
		have, ok := n.Caps.Labels[key]
		switch {
		case !ok:
			return verdict{string(messages.RefuseLabels), fmt.Sprintf("has no label %s (wanted: %s)", key, want[key])}
		case have != want[key]:
			return verdict{string(messages.RefuseLabels), fmt.Sprintf("label %s is %s (wanted: %s)", key, have, want[key])}
		}
	}
	return verdict{}
}

// filterRefused keeps a job from the nodes that have said no, while the reason
// holds: a passing one until the backoff is over and a newer heartbeat has
// come, the others until what the node can do has changed.
func filterRefused(q *question, n *peer.Node) verdict {
	times := 0
	var last *messages.Refusal
	for i := range q.job.Refused {
		if r := &q.job.Refused[i]; r.Node == n.Name() {
			times++
			last = r
		}
	}
	if last == nil {
		return verdict{}
	}
	if last.Code.Passing() {
		again := last.At.Add(passingBackoff(times))
		if n.Heard.After(last.At) && !q.now.Before(again) {
			return verdict{}
		}
	} else if n.Changed.After(last.At) {
		return verdict{}
	}
	return verdict{CodeRefused, fmt.Sprintf("refused attempt %d (%s): %s", last.Attempt, last.Code, last.Reason)}
}

// filterCapacity compares what the job reserves with what the node has free. A
// node that counts a resource as none in all does not limit it; but nobody has
// GPUs without saying so.
func filterCapacity(q *question, n *peer.Node) verdict {
	if q.job.Spec == nil || !q.job.Op.Places() {
		return verdict{}
	}
	want := q.job.Spec.Resources
	if n.Caps.Free.Fits(want) {
		return verdict{}
	}
	if why := shortage(n.Caps.Free, n.Caps.Total, want); why != "" {
		return verdict{string(messages.RefuseCapacity), why}
	}
	return verdict{}
}

// shortage says the first resource there is too little of, or nothing.
func shortage(free, total messages.Room, want messages.Resources) string {
	for _, r := range []struct {
		name       string
		want, free int64
		limited    bool
	}{
		{"cpu_milli", want.CPUMilli, free.CPUMilli, total.CPUMilli > 0},
		{"memory", want.Memory, free.Memory, total.Memory > 0},
		{"pids", want.PIDs, free.PIDs, total.PIDs > 0},
		{"gpu", want.GPU, free.GPU, true},
	} {
		if r.limited && r.want > r.free {
			return fmt.Sprintf("wants %d %s, has %d free", r.want, r.name, r.free)
		}
	}
	return ""
}

// Refused tells whether a node has refused the job.
func Refused(job *messages.Job, node string) bool {
	return slices.ContainsFunc(job.Refused, func(r messages.Refusal) bool { return r.Node == node })
}

// passingBackoff is how long a node is left alone after its n-th refusal for a
// passing reason.
func passingBackoff(n int) time.Duration {
	return min(time.Second<<min(n-1, 10), time.Minute)
}

func platformList(platforms []messages.Platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return strings.Join(names, " or ")
}

func offered(n *peer.Node) string {
	if len(n.Caps.Platforms) == 0 {
		return "nothing"
	}
	names := make([]string, len(n.Caps.Platforms))
	for i := range n.Caps.Platforms {
		names[i] = n.Caps.Platforms[i].Platform.String()
	}
	return strings.Join(names, ", ")
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
