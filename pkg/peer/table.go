package peer

import (
	"maps"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Table is what one listener knows of the fleet. The zero Table is not usable;
// call NewTable.
type Table struct {
	index index
	slots map[string]int32 // by name
	free  []int32          // slots that hold no node
	limit int
	view  *index // the last snapshot; nil: something has changed since

	holds map[string]map[Claim]hold // by node
	held  map[Claim]string          // the node that a claim is on
}

// NewTable makes an empty table. It keeps at most limit nodes (0: no limit), so
// that a listener on a large fleet stays small: a new node takes the place of
// the one that has been lost or gone for longest, or is ignored if there is
// none.
func NewTable(limit int) *Table {
	return &Table{
		index: index{gen: 1}, slots: map[string]int32{}, limit: limit,
		holds: map[string]map[Claim]hold{}, held: map[Claim]string{},
	}
}

// News is what a heartbeat, or its absence, changed.
type News struct {
	Node string
	From messages.NodeState // "" for a node never heard of
	To   messages.NodeState
	// Ability is set when what the node can do has changed, so that jobs that
	// wait are worth another look.
	Ability bool
}

// Hear takes in a heartbeat that came at now. One that is older than what the
// table has, by incarnation and sequence, changes nothing (ok is false).
func (t *Table) Hear(c messages.Capabilities, now time.Time) (news News, ok bool) {
	old := t.get(c.Node)
	if old == nil || !old.everHeard() {
		return t.meet(old, c, now)
	}
	if !old.supersededBy(c) {
		return News{}, false
	}
	n := *old
	n.noteOthers(c, now)
	n.Caps, n.Heard, n.State = c, now, stateOf(&c)
	if n.contested(now) {
		n.State = messages.NodeQuarantined
	}
	same := sameAbility(&old.Caps, &c)
	if !same {
		n.kind = kindOf(&c)
	}
	news = News{Node: c.Node, From: old.State, To: n.State, Ability: !same || n.Usable() && !old.Usable()}
	if news.Ability {
		n.Changed = now
	}
	t.settle(&n, now)
	return news, t.put(old, &n)
}

// meet takes in the first heartbeat of a node; old is the node as it was
// expected, or nil.
func (t *Table) meet(old *Node, c messages.Capabilities, now time.Time) (News, bool) {
	n := &Node{Caps: c, Heard: now, Changed: now, State: stateOf(&c), kind: kindOf(&c)}
	news := News{Node: c.Node, To: n.State, Ability: true}
	if old != nil {
		news.From = old.State
		n.Reserved, n.Handed = old.Reserved, old.Handed
		t.settle(n, now)
	}
	if !t.put(old, n) {
		return News{}, false
	}
	return news, true
}

// Expect makes room in the table for a node that is named somewhere and was
// never heard: it is silent from now on, and lost when the time-to-live is over.
// It is never usable before it is heard. Of a node that the table has, Expect
// changes nothing.
func (t *Table) Expect(node string, ttl time.Duration, now time.Time) {
	if t.get(node) == nil {
		t.put(nil, &Node{Caps: messages.Capabilities{Node: node, TTL: messages.Duration(ttl)}, Heard: now, Changed: now})
	}
}

// Expire marks the nodes that have been silent for their time-to-live and tells
// which they are, in the order of names and without a second thought: for a
// listener on whose word nothing depends. A placer has a Judge instead.
func (t *Table) Expire(now time.Time) []News {
	var lost []News
	for _, slot := range t.index.names.items {
		if n := t.index.nodes.node(slot); !n.gone() && !now.Before(n.expires()) {
			lost = append(lost, t.lose(n, now))
		}
	}
	return lost
}

// lose marks a node lost. What was handed out to it is no longer held.
func (t *Table) lose(n *Node, now time.Time) News {
	after := *n
	after.State, after.lost = messages.NodeLost, now
	t.unhold(&after)
	t.put(n, &after)
	return News{Node: n.Name(), From: n.State, To: messages.NodeLost}
}

// Forget drops a node, so that it is no longer listed.
func (t *Table) Forget(node string) {
	old := t.get(node)
	if old == nil {
		return
	}
	n, slot := *old, t.slots[node]
	t.unhold(&n)
	t.view = nil
	t.index.put(slot, old, nil)
	delete(t.slots, node)
	t.free = append(t.free, slot)
}

// Get is a copy of what is known of a node.
func (t *Table) Get(node string) (Node, bool) {
	n := t.get(node)
	if n == nil {
		return Node{}, false
	}
	return *n, true
}

// Len is how many nodes the table has, lost and expected ones included.
func (t *Table) Len() int { return len(t.slots) }

// Snapshot is the table as it is, in the order of names.
func (t *Table) Snapshot() Snapshot {
	if t.view == nil {
		view := t.index
		t.view = &view
		t.index.gen++
	}
	return Snapshot{index: t.view}
}

func (t *Table) get(node string) *Node {
	slot, ok := t.slots[node]
	if !ok {
		return nil
	}
	return t.index.nodes.node(slot)
}

// put puts a node where its older self was, or where there is room; it tells
// whether there was.
func (t *Table) put(old, n *Node) bool {
	slot, known := t.slots[n.Name()]
	if !known {
		if t.limit > 0 && len(t.slots) >= t.limit && !t.makeRoom() {
			return false
		}
		slot = int32(len(t.slots))
		if last := len(t.free) - 1; last >= 0 {
			slot, t.free = t.free[last], t.free[:last]
		}
		t.slots[n.Name()] = slot
	}
	t.view = nil
	n.key, n.room = Mix(Sum(NoSum, n.Name())), roomOf(n)
	t.index.put(slot, old, n)
	return true
}

// makeRoom drops the node that has been lost or gone for longest; it tells
// whether there was one.
func (t *Table) makeRoom() bool {
	var oldest *Node
	for _, slot := range t.index.names.items {
		if n := t.index.nodes.node(slot); n.gone() && (oldest == nil || n.Heard.Before(oldest.Heard)) {
			oldest = n
		}
	}
	if oldest == nil {
		return false
	}
	t.Forget(oldest.Name())
	return true
}

// stateOf is the state that a heartbeat alone gives.
func stateOf(c *messages.Capabilities) messages.NodeState {
	switch {
	case c.TTL == 0:
		return messages.NodeLeft
	case c.Draining:
		return messages.NodeDraining
	}
	return messages.NodeAlive
}

// sameAbility tells whether two heartbeats promise the same: the platforms, the
// labels, the size of the machine, and whether it drains. What is free just now
// is not ability.
func sameAbility(a, b *messages.Capabilities) bool {
	return a.Incarnation == b.Incarnation &&
		a.Draining == b.Draining &&
		a.Total == b.Total &&
		slices.Equal(a.Platforms, b.Platforms) &&
		maps.Equal(a.Labels, b.Labels)
}
