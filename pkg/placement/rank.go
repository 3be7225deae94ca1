package placement

import (
	"hash/fnv"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// Weights of what makes one node better than another. What the job asks for
// comes first, then what saves time, then what spreads the load.
const (
	weightPrefer = 100.0 // for all preferred labels matched
	weightRoom   = 10.0  // for an empty node
	weightSpread = 1.0   // at most; makes different jobs prefer different nodes
)

// score ranks a node that no filter ruled out; higher is better. It depends on
// nothing but its arguments, so that every placer ranks alike.
func score(q *question, n *peer.Node) float64 {
	return weightPrefer*preferred(q.job, n) + weightRoom*roomLeft(n) + weightSpread*affinity(q.job.ID, n.Name())
}

// preferred is the share of the preferred labels that the node has, 0 to 1.
func preferred(job *messages.Job, n *peer.Node) float64 {
	want := job.Requires.Prefer
	if len(want) == 0 {
		return 0
	}
	have := 0
	for k, v := range want {
		if n.Caps.Labels[k] == v {
			have++
		}
	}
	return float64(have) / float64(len(want))
}

// roomLeft is the free share of the scarcer of cpu and memory, 0 to 1.
func roomLeft(n *peer.Node) float64 {
	free, total := n.Caps.Free, n.Caps.Total
	return min(share(free.CPUMilli, total.CPUMilli), share(free.Memory, total.Memory))
}

func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return max(0, min(1, float64(part)/float64(whole)))
}

// affinity is the rendezvous hash of a job and a node, 0 to 1: it spreads jobs
// over equal nodes, and keeps each job's order of nodes stable as others come
// and go.
func affinity(job, node string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(job))
	_, _ = h.Write([]byte{'/'})
	_, _ = h.Write([]byte(node))
	return float64(mix(h.Sum64())>>11) / (1 << 53)
}

// mix is splitmix64's finaliser: FNV's upper bits alone vary too little between
// names that differ at their end.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
