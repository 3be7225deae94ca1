package peer

import (
	"math"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// partSize is how many nodes are copied when one of them changes after a
// snapshot was taken.
const partSize = 128

// part is the nodes of partSize slots, and the most room that any of them has.
// The bound may be too high for a while, never too low: it lets a search pass
// over a part in which nobody has room.
type part struct {
	*nodes
	most   messages.Room
	writes int // since the bound was exact
}

type nodes struct {
	at  [partSize]*Node // nil: a free slot
	gen uint64
}

// parts is the nodes of a table by their slots.
type parts struct{ cow[part] }

// node is the node in a slot.
func (p *parts) node(slot int32) *Node {
	return p.items[slot/partSize].at[slot%partSize]
}

// set puts a node into a slot, or frees the slot (nil). The slot may be the one
// behind the last.
func (p *parts) set(gen uint64, slot int32, n *Node) {
	if int(slot) == len(p.items)*partSize {
		p.insert(gen, len(p.items), part{nodes: &nodes{gen: gen}})
	}
	part := &p.own(gen)[slot/partSize]
	if part.gen != gen {
		copied := *part.nodes
		copied.gen = gen
		part.nodes = &copied
	}
	part.at[slot%partSize] = n
	part.bound(n)
}

// bound keeps the bound above n; at times it works it out anew, so that it
// follows when room gets less.
func (p *part) bound(n *Node) {
	p.most = atLeast(p.most, n)
	if p.writes++; p.writes < partSize {
		return
	}
	p.writes, p.most = 0, messages.Room{}
	for _, n := range p.at {
		p.most = atLeast(p.most, n)
	}
}

func atLeast(most messages.Room, n *Node) messages.Room {
	if n == nil || !n.Usable() {
		return most
	}
	return messages.Room{
		CPUMilli: max(most.CPUMilli, n.room.CPUMilli),
		Memory:   max(most.Memory, n.room.Memory),
		PIDs:     max(most.PIDs, n.room.PIDs),
		GPU:      max(most.GPU, n.room.GPU),
	}
}

// roomFor tells whether any node may have room for what is wanted; false is
// certain.
func (p *parts) roomFor(want messages.Resources) bool {
	for i := range p.items {
		if p.items[i].most.Fits(want) {
			return true
		}
	}
	return false
}

// roomOf is what can still be reserved on a node: what it has free less what was
// handed out. A resource of which it counts none in all is not limited; but
// nobody has GPUs without saying so.
func roomOf(n *Node) messages.Room {
	left := func(free, reserved, total int64) int64 {
		if total <= 0 {
			return math.MaxInt64
		}
		return max(0, free-reserved)
	}
	free, reserved, total := &n.Caps.Free, &n.Reserved, &n.Caps.Total
	return messages.Room{
		CPUMilli: left(free.CPUMilli, reserved.CPUMilli, total.CPUMilli),
		Memory:   left(free.Memory, reserved.Memory, total.Memory),
		PIDs:     left(free.PIDs, reserved.PIDs, total.PIDs),
		GPU:      max(0, free.GPU-reserved.GPU),
	}
}
