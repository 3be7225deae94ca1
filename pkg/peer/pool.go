package peer

import (
	"iter"
	"math/bits"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// mostRings bounds a pool, so that it needs no memory of its own; a job that
// fits more kinds of node than that draws from all usable nodes.
const mostRings = 16

// patience is how many nodes are passed over before it is worth finding out
// whether any node at all has room.
const patience = 256

// Pool is the nodes out of which one is drawn for a job: usable ones, and as far
// as the index tells nobody who would do is missing. It may hold some who would
// not do, so who draws says what counts. A Pool is a value; it is not safe for
// concurrent use, copies of it are.
type Pool struct {
	from  Snapshot
	rings [mostRings][]int32
	n     int // of the rings
	total int // of the nodes
}

// Pool is the usable nodes that can run one of the platforms; all of them when
// none is given.
func (s Snapshot) Pool(want []messages.Platform) Pool {
	p := Pool{from: s}
	if s.index == nil {
		return p
	}
	if len(want) == 0 {
		p.only(s.index.usable.items)
		return p
	}
	kinds := s.index.kinds.items
	for i := range kinds {
		if !platformsRun(kinds[i].platforms, want) {
			continue
		}
		if p.n == mostRings {
			p.only(s.index.usable.items)
			return p
		}
		p.rings[p.n] = kinds[i].ring.items
		p.n++
		p.total += len(kinds[i].ring.items)
	}
	return p
}

// only makes the pool one ring, unless that is empty.
func (p *Pool) only(ring []int32) {
	p.n, p.total = 0, len(ring)
	if len(ring) > 0 {
		p.rings[0], p.n = ring, 1
	}
}

// Len is how many nodes the pool holds.
func (p *Pool) Len() int { return p.total }

// Narrow leaves only nodes that have a label, where that makes the pool
// smaller. Labels that others of the pool have as well are still to be checked.
func (p *Pool) Narrow(key, value string) {
	if p.from.index == nil {
		return
	}
	var ring []int32
	if i, found := p.from.index.findLabel(key, value); found {
		ring = p.from.index.labels.items[i].ring.items
	}
	if len(ring) < p.total {
		p.only(ring)
	}
}

// All is every node of the pool.
func (p *Pool) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for i := range p.n {
			for _, slot := range p.rings[i] {
				n := p.from.index.nodes.node(slot)
				if !p.from.leavesOut(n.Name()) && !yield(n) {
					return
				}
			}
		}
	}
}

// Draw is the first node at or behind the point, 0 to 2^64 on the way round the
// pool, that ok accepts and that may have room for what is wanted; nil when there
// is none, which is certain then. What was found to hold nobody leaves the pool,
// so ok and want must be the same for all draws from one pool.
func (p *Pool) Draw(point uint64, want messages.Resources, ok func(*Node) bool) *Node {
	for p.n > 0 {
		whole, _ := bits.Mul64(point, uint64(p.total))
		at, i := int(whole), 0
		for at >= len(p.rings[i]) {
			at -= len(p.rings[i])
			i++
		}
		if n := p.walk(p.rings[i], at, want, ok); n != nil {
			return n
		}
		p.total -= len(p.rings[i])
		p.n--
		copy(p.rings[i:], p.rings[i+1:])
	}
	return nil
}

// walk goes round a ring once.
func (p *Pool) walk(ring []int32, at int, want messages.Resources, ok func(*Node) bool) *Node {
	nodes := &p.from.index.nodes
	for passed := range ring {
		if passed == patience && !nodes.roomFor(want) {
			return nil
		}
		slot := ring[at]
		if at++; at == len(ring) {
			at = 0
		}
		part := &nodes.items[slot/partSize]
		if !part.most.Fits(want) {
			continue
		}
		if n := part.at[slot%partSize]; !p.from.leavesOut(n.Name()) && ok(n) {
			return n
		}
	}
	return nil
}
