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

// question is a job, and what is known of it beyond its own words.
type question struct {
	job *messages.Job
	// platforms would each do; none: not known, so any node may be asked.
	platforms []messages.Platform
	home      string             // the node that has its volumes; "": none does
	replaces  *messages.Replaced // the job beside which it is to be started; nil: none
	want      messages.Resources // what it would reserve
	sum       uint64             // of its id, see affinity
	now       time.Time
}

// objection is the code of the first filter that rules the node out, or "". It
// allocates nothing; why puts it into words.
//
// Filters come in the order in which they hold longest, so that the first to
// object gives the reason that matters.
func objection(q *question, n *peer.Node) (code string) {
	switch {
	case q.home != "" && n.Name() != q.home:
		return CodeVolumes
	case q.home == "" && !onTarget(q, n):
		return CodeTarget
	case q.replaces != nil && n.Name() == q.replaces.Node:
		return CodeReplaces
	case n.State == messages.NodeDraining:
		return string(messages.RefuseDraining)
	case !n.Usable():
		return CodeNotAlive
	case len(q.platforms) > 0 && !peer.CanRun(&n.Caps, q.platforms):
		return string(messages.RefusePlatform)
	case !hasLabels(n.Caps.Labels, q.job.Requires.Labels):
		return string(messages.RefuseLabels)
	case standingRefusal(q, n) != nil:
		return CodeRefused
	case !n.Room().Fits(q.want):
		return string(messages.RefuseCapacity)
	}
	return ""
}

// why is the objection of that code in words.
func why(q *question, n *peer.Node, code string) string {
	switch code {
	case CodeVolumes:
		return fmt.Sprintf("the job's volumes are on %s", q.home)
	case CodeTarget:
		return fmt.Sprintf("the job's target is %s", q.job.Target)
	case CodeReplaces:
		return fmt.Sprintf("job %s is there under the same name, until this one is up", q.replaces.Job)
	case string(messages.RefuseDraining):
		return "the node takes no new work: it drains"
	case CodeNotAlive:
		return whyNotAlive(n)
	case string(messages.RefusePlatform):
		return fmt.Sprintf("needs %s, runs %s", platformList(q.platforms), offered(n))
	case string(messages.RefuseLabels):
		return whyLabels(n.Caps.Labels, q.job.Requires.Labels)
	case CodeRefused:
		r := standingRefusal(q, n)
		return fmt.Sprintf("refused attempt %d (%s): %s", r.Attempt, r.Code, r.Reason)
	case string(messages.RefuseCapacity):
		return shortage(n, q.want)
	}
	return ""
}

// only is the one node that may have the job, or "" when there is no such node:
// the one that has its volumes, or its target.
func (q *question) only() string {
	if target := q.job.Target; q.home == "" && target != "" && !Refused(q.job, target) {
		return target
	}
	return q.home
}

// onTarget keeps a job with a target on it, until the target has refused.
func onTarget(q *question, n *peer.Node) bool {
	target := q.job.Target
	return target == "" || n.Name() == target || Refused(q.job, target)
}

func whyNotAlive(n *peer.Node) string {
	switch n.State {
	case messages.NodeLeft:
		return "the node has left"
	case messages.NodeQuarantined:
		return "two workers speak under this name; neither is given work"
	}
	return "the node has not been heard for its time-to-live"
}

// hasLabels tells whether all the wanted labels are there, with their values.
func hasLabels(have, want map[string]string) bool {
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			return false
		}
	}
	return true
}

func whyLabels(have, want map[string]string) string {
	for _, key := range sortedKeys(want) {
		got, ok := have[key]
		switch {
		case !ok:
			return fmt.Sprintf("has no label %s (wanted: %s)", key, want[key])
		case got != want[key]:
			return fmt.Sprintf("label %s is %s (wanted: %s)", key, got, want[key])
		}
	}
	return ""
}

// standingRefusal is the node's last refusal of the job while its reason holds:
// a passing one until the backoff is over and a newer heartbeat has come, the
// others until what the node can do has changed.
func standingRefusal(q *question, n *peer.Node) *messages.Refusal {
	times := 0
	var last *messages.Refusal
	for i := range q.job.Refused {
		if r := &q.job.Refused[i]; r.Node == n.Name() {
			times++
			last = r
		}
	}
	if last == nil {
		return nil
	}
	if last.Code.Passing() {
		again := last.At.Add(passingBackoff(times))
		if n.Heard.After(last.At) && !q.now.Before(again) {
			return nil
		}
	} else if n.Changed.After(last.At) {
		return nil
	}
	return last
}

// shortage says the first resource there is too little of, and how much of what
// was free has just been handed out.
func shortage(n *peer.Node, want messages.Resources) string {
	room := n.Room()
	for _, r := range []struct {
		name                string
		want, free, awarded int64
	}{
		{"cpu_milli", want.CPUMilli, room.CPUMilli, n.Reserved.CPUMilli},
		{"memory", want.Memory, room.Memory, n.Reserved.Memory},
		{"pids", want.PIDs, room.PIDs, n.Reserved.PIDs},
		{"gpu", want.GPU, room.GPU, n.Reserved.GPU},
	} {
		if r.want <= r.free {
			continue
		}
		if r.awarded > 0 {
			return fmt.Sprintf("wants %d %s, has %d free (%d just handed out)", r.want, r.name, r.free, r.awarded)
		}
		return fmt.Sprintf("wants %d %s, has %d free", r.want, r.name, r.free)
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
