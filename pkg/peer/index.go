package peer

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// index is a table's nodes, and its usable nodes once more by what decides
// where a job may run: their platforms and their labels. A heartbeat that
// changes neither replaces a node in its slot and touches nothing else; the
// rest is written when nodes come, go or change what they can do.
//
// All of it is copied on write: a snapshot is a copy of this struct, taken when
// the next generation begins.
type index struct {
	gen    uint64
	nodes  parts
	names  cow[int32] // all slots, by name
	usable ring
	kinds  cow[kind]  // by key
	labels cow[label] // by key and value
	heard  int        // nodes that have been heard
}

// ring is the slots of some usable nodes in the order of their keys. Hashes
// order it, so that what nodes alike in name have in common, a full rack, is not
// found in one place of the ring.
type ring = cow[int32]

// kind is the usable nodes that run the same platforms.
type kind struct {
	key       string
	platforms []messages.Platform
	ring      ring
}

// label is the usable nodes that have a label.
type label struct {
	key, value string
	ring       ring
}

// put replaces the node in a slot, or fills or frees it: old or n is nil then.
func (x *index) put(slot int32, old, n *Node) {
	was, is := old != nil && old.Usable(), n != nil && n.Usable()
	if was && is && sameKind(old, n) {
		x.nodes.set(x.gen, slot, n)
		return
	}
	if was {
		x.leave(old)
	}
	if n == nil {
		x.names.remove(x.gen, x.rank(old.Name()))
	}
	x.nodes.set(x.gen, slot, n)
	if old == nil {
		x.names.insert(x.gen, x.rank(n.Name()), slot)
	}
	if is {
		x.enter(slot, n)
	}
	x.heard += btoi(n != nil && n.everHeard()) - btoi(old != nil && old.everHeard())
}

func sameKind(a, b *Node) bool {
	return a.kind == b.kind && maps.Equal(a.Caps.Labels, b.Caps.Labels)
}

// enter adds a usable node to the rings it belongs on.
func (x *index) enter(slot int32, n *Node) {
	x.add(&x.usable, slot, n)
	i, found := x.findKind(n.kind)
	if !found {
		k := kind{key: n.kind}
		for _, p := range n.Caps.Platforms {
			k.platforms = append(k.platforms, p.Platform)
		}
		x.kinds.insert(x.gen, i, k)
	}
	x.add(&x.kinds.own(x.gen)[i].ring, slot, n)
	for key, value := range n.Caps.Labels {
		i, found := x.findLabel(key, value)
		if !found {
			x.labels.insert(x.gen, i, label{key: key, value: value})
		}
		x.add(&x.labels.own(x.gen)[i].ring, slot, n)
	}
}

// leave takes a node off its rings.
func (x *index) leave(n *Node) {
	x.drop(&x.usable, n)
	if i, found := x.findKind(n.kind); found && x.drop(&x.kinds.own(x.gen)[i].ring, n) {
		x.kinds.remove(x.gen, i)
	}
	for key, value := range n.Caps.Labels {
		if i, found := x.findLabel(key, value); found && x.drop(&x.labels.own(x.gen)[i].ring, n) {
			x.labels.remove(x.gen, i)
		}
	}
}

func (x *index) add(r *ring, slot int32, n *Node) {
	if i, found := x.find(r, n); !found {
		r.insert(x.gen, i, slot)
	}
}

// drop takes a node off a ring and tells whether the ring is empty now.
func (x *index) drop(r *ring, n *Node) bool {
	if i, found := x.find(r, n); found {
		r.remove(x.gen, i)
	}
	return len(r.items) == 0
}

// find is where a node is on a ring, or would be.
func (x *index) find(r *ring, n *Node) (int, bool) {
	return slices.BinarySearchFunc(r.items, n, func(slot int32, n *Node) int {
		at := x.nodes.node(slot)
		return cmp.Or(cmp.Compare(at.key, n.key), strings.Compare(at.Name(), n.Name()))
	})
}

func (x *index) findKind(key string) (int, bool) {
	return slices.BinarySearchFunc(x.kinds.items, key, func(k kind, key string) int { return strings.Compare(k.key, key) })
}

func (x *index) findLabel(key, value string) (int, bool) {
	at := x.labels.items
	i := sort.Search(len(at), func(i int) bool {
		return cmp.Or(strings.Compare(at[i].key, key), strings.Compare(at[i].value, value)) >= 0
	})
	return i, i < len(at) && at[i].key == key && at[i].value == value
}

// rank is the place of a name among all names.
func (x *index) rank(name string) int {
	return sort.Search(len(x.names.items), func(i int) bool { return x.nodes.node(x.names.items[i]).Name() >= name })
}

// kindOf is what nodes with the same platforms have in common.
func kindOf(c *messages.Capabilities) string {
	var b strings.Builder
	for i := range c.Platforms {
		b.WriteString(c.Platforms[i].Platform.String())
		b.WriteByte(',')
	}
	return b.String()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
