package peer

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Table is what one listener knows of the fleet. The zero Table is not usable;
// call NewTable.
type Table struct {
	nodes map[string]*Node
	limit int
}

// NewTable makes an empty table. It keeps at most limit nodes (0: no limit), so
// that a listener on a large fleet stays small: a new node takes the place of
// the one that has been lost or gone for longest, or is ignored if there is
// none.
func NewTable(limit int) *Table {
	return &Table{nodes: map[string]*Node{}, limit: limit}
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
	n := t.nodes[c.Node]
	if n == nil {
		if t.limit > 0 && len(t.nodes) >= t.limit && !t.makeRoom() {
			return News{}, false
		}
		n = &Node{Caps: c, Heard: now, Changed: now, State: stateOf(c)}
		t.nodes[c.Node] = n
		return News{Node: c.Node, To: n.State, Ability: true}, true
	}
	if !n.supersededBy(c) {
		return News{}, false
	}
	news = News{Node: c.Node, From: n.State}
	same, usable := sameAbility(&n.Caps, &c), n.Usable()
	n.noteOthers(c, now)
	n.Caps, n.Heard = c, now
	n.State = stateOf(c)
	if n.contested(now) {
		n.State = messages.NodeQuarantined
	}
	news.Ability = !same || n.Usable() && !usable
	if news.Ability {
		n.Changed = now
	}
	news.To = n.State
	return news, true
}

// supersededBy tells whether c is newer than what the node last said. Another
// journal is always news; within one, (n, seq) must rise.
func (n *Node) supersededBy(c messages.Capabilities) bool {
	oldJournal, oldN := splitIncarnation(n.Caps.Incarnation)
	newJournal, newN := splitIncarnation(c.Incarnation)
	if oldJournal != newJournal {
		return true
	}
	return newN > oldN || newN == oldN && c.Seq > n.Caps.Seq
}

// mostOthers bounds what is kept of the journals that shared a name.
const mostOthers = 8

// noteOthers remembers the journal that spoke before c, when c is of another. A
// journal that speaks again after another one did is alive beside it; one that
// takes over from a silent one, or follows a goodbye, is its successor.
func (n *Node) noteOthers(c messages.Capabilities, now time.Time) {
	old := n.Journal()
	journal, _ := splitIncarnation(c.Incarnation)
	if journal == old {
		return
	}
	if !now.Before(n.expires()) || n.State == messages.NodeLeft {
		n.others = nil
		return
	}
	others := []voice{{old, n.Heard}}
	for _, v := range n.others {
		switch {
		case v.journal == journal:
			n.contest = n.Heard
		case now.Sub(v.heard) < n.Caps.TTL.Std() && len(others) < mostOthers:
			others = append(others, v)
		}
	}
	n.others = others
}

// contested tells whether two journals have spoken in turns within one
// time-to-live.
func (n *Node) contested(now time.Time) bool {
	return !n.contest.IsZero() && now.Sub(n.contest) < n.Caps.TTL.Std()
}

// makeRoom drops the node that has been lost or gone for longest; it tells
// whether there was one.
func (t *Table) makeRoom() bool {
	var oldest *Node
	for _, n := range t.nodes {
		if n.State != messages.NodeLost && n.State != messages.NodeLeft {
			continue
		}
		if oldest == nil || n.Heard.Before(oldest.Heard) || n.Heard.Equal(oldest.Heard) && n.Name() < oldest.Name() {
			oldest = n
		}
	}
	if oldest == nil {
		return false
	}
	delete(t.nodes, oldest.Name())
	return true
}

// Expire marks the nodes that have been silent for their time-to-live and tells
// which they are.
func (t *Table) Expire(now time.Time) []News {
	var lost []News
	for _, n := range t.nodes {
		if n.State == messages.NodeLost || n.State == messages.NodeLeft || now.Before(n.expires()) {
			continue
		}
		lost = append(lost, News{Node: n.Name(), From: n.State, To: messages.NodeLost})
		n.State = messages.NodeLost
	}
	slices.SortFunc(lost, func(a, b News) int { return strings.Compare(a.Node, b.Node) })
	return lost
}

// Forget drops a node, so that it is no longer listed.
func (t *Table) Forget(node string) { delete(t.nodes, node) }

// Get is a copy of what is known of a node.
func (t *Table) Get(node string) (Node, bool) {
	n, ok := t.nodes[node]
	if !ok {
		return Node{}, false
	}
	return *n, true
}

// Len is how many nodes the table has, lost ones included.
func (t *Table) Len() int { return len(t.nodes) }

// Snapshot is the table as it is, in the order of names.
func (t *Table) Snapshot() Snapshot {
	nodes := make([]Node, 0, len(t.nodes))
	for _, name := range slices.Sorted(maps.Keys(t.nodes)) {
		nodes = append(nodes, *t.nodes[name])
	}
	return Snapshot{nodes: nodes}
}

// stateOf is the state that a heartbeat alone gives.
func stateOf(c messages.Capabilities) messages.NodeState {
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
