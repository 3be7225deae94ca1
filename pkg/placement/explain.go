package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// Choose is the best node for the job now; ok is false when none would take
// it. platforms is what is known of the image beyond the job's own words.
func Choose(job *messages.Job, platforms []messages.Platform, peers peer.Snapshot, now time.Time) (node string, ok bool) {
	q := ask(job, platforms, now)
	best := 0.0
	for n := range peers.All() {
		if reject(q, n).code != "" {
			continue
		}
		if s := score(q, n); !ok || s > best {
			node, best, ok = n.Name(), s, true
		}
	}
	return node, ok
}

// Explain is Choose with its reasons: a verdict for every node, the chosen one
// first, then the others that would do, then those ruled out.
func Explain(job *messages.Job, platforms []messages.Platform, peers peer.Snapshot, now time.Time) messages.ExplainReply {
	q := ask(job, platforms, now)
	reply := messages.ExplainReply{V: messages.Version, Nodes: make([]messages.NodeVerdict, 0, peers.Len())}
	for n := range peers.All() {
		v := reject(q, n)
		verdict := messages.NodeVerdict{Node: n.Name(), OK: v.code == "", Code: v.code, Reason: v.reason}
		if verdict.OK {
			verdict.Score = score(q, n)
		}
		reply.Nodes = append(reply.Nodes, verdict)
	}
	slices.SortStableFunc(reply.Nodes, func(a, b messages.NodeVerdict) int {
		if a.OK != b.OK {
			return cmp.Compare(btoi(b.OK), btoi(a.OK))
		}
		return cmp.Compare(b.Score, a.Score)
	})
	if len(reply.Nodes) > 0 && reply.Nodes[0].OK {
		reply.Chosen = reply.Nodes[0].Node
	} else {
		reply.Reason = whyNone(q, reply.Nodes)
	}
	return reply
}

// ask puts together what a job needs: a platform it names decides, and what its
// image was found to be made for says the rest.
func ask(job *messages.Job, platforms []messages.Platform, now time.Time) *question {
	if p := job.Platform(); p != (messages.Platform{}) {
		named := []messages.Platform{p}
		if len(platforms) > 0 {
			if both := narrow(named, platforms); len(both) > 0 {
				named = both
			}
		}
		platforms = named
	}
	return &question{job: job, platforms: platforms, now: now}
}

// whyNone says why no node was chosen, the same reasons counted together.
func whyNone(q *question, nodes []messages.NodeVerdict) string {
	if len(nodes) == 0 {
		return "no node has been heard of"
	}
	var reasons []string
	count := map[string][]string{}
	for _, n := range nodes {
		if count[n.Reason] == nil {
			reasons = append(reasons, n.Reason)
		}
		count[n.Reason] = append(count[n.Reason], n.Node)
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return len(count[b]) - len(count[a]) })
	parts := make([]string, 0, len(reasons))
	for _, r := range reasons {
		parts = append(parts, fmt.Sprintf("%s: %s", nameSome(count[r]), r))
	}
	head := "no node can take it"
	if len(q.platforms) > 0 {
		head = "no node can take it (needs " + platformList(q.platforms) + ")"
	}
	return messages.TruncateReason(head + "; " + strings.Join(parts, "; "))
}

// nameSome lists a few names and counts the rest.
func nameSome(names []string) string {
	const some = 3
	if len(names) <= some {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:some], ", "), len(names)-some)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
