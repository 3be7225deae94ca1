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

// Explain is Choose with its reasons: a verdict for every node, the chosen one
// first, then the others that would do, then those ruled out.
//
// A large fleet is not compared node by node: each job draws some of the nodes
// that would do (see Choose). That is part of the score, so the chosen node has
// always the highest one, and of the others that would do the reason says that
// they were not drawn.
func Explain(job *messages.Job, platforms []messages.Platform, peers peer.Snapshot, now time.Time) messages.ExplainReply {
	var named [1]messages.Platform
	q := ask(job, platforms, &named, now)
	return explain(&q, peers)
}

// explainFor is Explain for a job with what its record knows of it.
func explainFor(r *messages.Record, peers peer.Snapshot, now time.Time) messages.ExplainReply {
	var named [1]messages.Platform
	q := askFor(r, &named, now)
	return explain(&q, peers)
}

func explain(q *question, peers peer.Snapshot) messages.ExplainReply {
	drawn := map[string]bool{}
	chosen := choose(q, peers, drawn)
	reply := messages.ExplainReply{V: messages.Version, Nodes: make([]messages.NodeVerdict, 0, peers.Len())}
	for n := range peers.All() {
		reply.Nodes = append(reply.Nodes, verdict(q, n, drawn[n.Name()]))
	}
	slices.SortStableFunc(reply.Nodes, func(a, b messages.NodeVerdict) int {
		if a.OK != b.OK {
			return cmp.Compare(btoi(b.OK), btoi(a.OK))
		}
		return cmp.Compare(b.Score, a.Score)
	})
	if chosen != nil {
		reply.Chosen = chosen.Name()
	} else {
		reply.Reason = whyNone(q, reply.Nodes)
	}
	return reply
}

// verdict is what there is to say of one node.
func verdict(q *question, n *peer.Node, drawn bool) messages.NodeVerdict {
	if code := objection(q, n); code != "" {
		return messages.NodeVerdict{Node: n.Name(), Code: code, Reason: why(q, n, code)}
	}
	p := scoreParts(q, n)
	v := messages.NodeVerdict{Node: n.Name(), OK: true, Score: score(q, n)}
	if !drawn {
		v.Score -= p.drawn
		p.drawn, v.Reason = 0, notDrawn
	}
	v.Parts = p.named()
	return v
}

// ExplainRecord is Explain for a job that has a record: as it would be placed
// now, with the nodes that have changed since it was placed, or, if it never was,
// since it was submitted.
func ExplainRecord(r *messages.Record, peers peer.Snapshot, now time.Time) messages.ExplainReply {
	since := r.Created
	for _, h := range r.History {
		if h.Event == string(messages.EventPlaced) && h.At.After(since) {
			since = h.At
		}
	}
	reply := explainFor(r, peers, now)
	for i := range reply.Nodes {
		v := &reply.Nodes[i]
		v.Changed = changedSince(peers.Get(v.Node), since)
	}
	return reply
}

// changedSince tells whether what a node can do, or whether it is there, has
// changed.
func changedSince(n *peer.Node, since time.Time) bool {
	return n.Changed.After(since) || n.State == messages.NodeLost && n.Heard.After(since)
}

// notDrawn is said of a node that would do and was not compared with the chosen
// one.
const notDrawn = "would do; others were drawn for this job, or have more of the labels it prefers"

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
