package peer

import (
	"iter"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Snapshot is a table at one instant. It never changes, and costs next to
// nothing: it shares what it can with the table, which copies before it writes.
type Snapshot struct {
	index   *index   // nil: no nodes
	without []string // names that are left out
}

// Len is how many nodes there are; those that were never heard do not count.
func (s Snapshot) Len() int {
	if s.index == nil {
		return 0
	}
	n := s.index.heard
	for _, name := range s.without {
		if at := s.index.get(name); at != nil && at.everHeard() {
			n--
		}
	}
	return n
}

// All is every node that was ever heard, in the order of names. The pointers
// are into the snapshot: read them, do not write.
func (s Snapshot) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if s.index == nil {
			return
		}
		for _, slot := range s.index.names.items {
			n := s.index.nodes.node(slot)
			if n.everHeard() && !s.leavesOut(n.Name()) && !yield(n) {
				return
			}
		}
	}
}

// Get is the node of that name, or nil. A node that is only expected (see
// Table.Expect) is found here, though All does not list it.
func (s Snapshot) Get(name string) *Node {
	if s.index == nil || s.leavesOut(name) {
		return nil
	}
	return s.index.get(name)
}

// Capable names up to most usable nodes, other than except, that can run one of
// the platforms.
func (s Snapshot) Capable(want []messages.Platform, except string, most int) []string {
	var names []string
	for n := range s.All() {
		if len(names) == most {
			break
		}
		if n.Name() == except || !n.Usable() {
			continue
		}
		if len(want) == 0 || CanRun(&n.Caps, want) {
			names = append(names, n.Name())
		}
	}
	return names
}

// Without is the snapshot less one node.
func (s Snapshot) Without(name string) Snapshot {
	if s.Get(name) == nil {
		return s
	}
	s.without = append(slices.Clip(s.without), name)
	return s
}

func (s Snapshot) leavesOut(name string) bool {
	return len(s.without) > 0 && slices.Contains(s.without, name)
}

// get is the node of that name, or nil.
func (x *index) get(name string) *Node {
	i := x.rank(name)
	if i == len(x.names.items) {
		return nil
	}
	if n := x.nodes.node(x.names.items[i]); n.Name() == name {
		return n
	}
	return nil
}
