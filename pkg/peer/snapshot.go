package peer

import (
	"iter"
	"sort"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Snapshot is a table at one instant. It never changes.
type Snapshot struct {
	nodes []Node // by name
}

// NewSnapshot makes a snapshot of nodes, which must be in the order of their
// names.
func NewSnapshot(nodes []Node) Snapshot { return Snapshot{nodes: nodes} }

// Len is how many nodes there are.
func (s Snapshot) Len() int { return len(s.nodes) }

// All is every node, in the order of names. The pointers are into the snapshot:
// read them, do not write.
func (s Snapshot) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for i := range s.nodes {
			if !yield(&s.nodes[i]) {
				return
			}
		}
	}
}

// Get is the node of that name, or nil.
func (s Snapshot) Get(name string) *Node {
	i := sort.Search(len(s.nodes), func(i int) bool { return s.nodes[i].Name() >= name })
	if i == len(s.nodes) || s.nodes[i].Name() != name {
		return nil
	}
	return &s.nodes[i]
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
	kept := make([]Node, 0, len(s.nodes))
	for _, n := range s.nodes {
		if n.Name() != name {
			kept = append(kept, n)
		}
	}
	return Snapshot{nodes: kept}
}
