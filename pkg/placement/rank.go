package placement

import (
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// Weights of what makes one node better than another. What the job asks for
// comes first and outweighs all the rest; then the draw, which decides who is
// compared at all; then what spreads the load.
const (
	weightPrefer = 100.0 // for each preferred label
	weightDrawn  = 20.0  // for a node that the job has drawn (see choose.go)
	weightRoom   = 10.0  // for an empty node
	weightFew    = 5.0   // for a node without containers
	weightSpread = 1.0   // at most; makes different jobs prefer different nodes
)

// score ranks a node that no filter ruled out and that was drawn; higher is
// better. It depends on nothing but its arguments, so that every placer ranks
// alike.
func score(q *question, n *peer.Node) float64 {
	p := scoreParts(q, n)
	return p.prefer + p.drawn + p.room + p.few + p.spread
}

// parts are what a score is made of.
type parts struct{ prefer, drawn, room, few, spread float64 }

func scoreParts(q *question, n *peer.Node) parts {
	return parts{
		prefer: weightPrefer * float64(preferred(q.job, n)), drawn: weightDrawn,
		room: weightRoom * roomLeft(n), few: weightFew * fewness(n), spread: weightSpread * affinity(q.sum, n.Name()),
	}
}

// named is the parts by the names that Explain gives them.
func (p parts) named() map[string]float64 {
	return map[string]float64{"prefer": p.prefer, "drawn": p.drawn, "room": p.room, "few_containers": p.few, "spread": p.spread}
}

// preferred is how many of the preferred labels the node has.
func preferred(job *messages.Job, n *peer.Node) int {
	have := 0
	for k, v := range job.Requires.Prefer {
		if got, ok := n.Caps.Labels[k]; ok && got == v {
			have++
		}
	}
	return have
}

// roomLeft is the free share of the scarcer of cpu and memory, 0 to 1.
func roomLeft(n *peer.Node) float64 {
	room, total := n.Room(), n.Caps.Total
	return min(share(room.CPUMilli, total.CPUMilli), share(room.Memory, total.Memory))
}

func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return max(0, min(1, float64(part)/float64(whole)))
}

// fewness is 1 for a node without containers and less the more it has for each
// of its cores, what it was just handed included: jobs that reserve nothing take
// no room, and are spread by this.
func fewness(n *peer.Node) float64 {
	cores := max(1, float64(n.Caps.Total.CPUMilli)/1000, float64(n.Caps.Host.CPUs))
	return cores / (cores + float64(max(0, n.Caps.Containers)+n.Handed))
}

// affinity is the rendezvous hash of a job and a node, 0 to 1: it spreads jobs
// over equal nodes, and keeps each job's order of nodes stable as others come
// and go. job is the sum of the job's id and a slash.
func affinity(job uint64, node string) float64 {
	return float64(mix(peer.Sum(job, node))>>11) / (1 << 53)
}

func mix(x uint64) uint64 { return peer.Mix(x) }
