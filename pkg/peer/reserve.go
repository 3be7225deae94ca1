package peer

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// longestHold bounds how long room is held for a command that is not answered.
const longestHold = 30 * time.Second

// Claim is what room is held for: an attempt of a job.
type Claim struct {
	Job     string
	Attempt uint64
}

// hold is room that was handed out.
type hold struct {
	room     messages.Room
	until    time.Time
	accepted bool // the node counts it itself from its next heartbeat on
}

// Reserve notes that a job is handed out to a node: until the node's own
// heartbeat counts it, the node has that much less room, and looks less empty
// even if the job reserves nothing. A repeat for the same claim changes nothing;
// one for another node moves the claim. A node that the table does not have
// holds nothing.
//
// What is held ends with Release, with the first heartbeat after Accepted, with
// the first one more than 30 s after Reserve, or with the node's loss.
func (t *Table) Reserve(node string, want messages.Resources, claim Claim, now time.Time) {
	on, held := t.held[claim]
	if held && on == node {
		return
	}
	t.Release(claim)
	old := t.get(node)
	if old == nil || old.gone() {
		return
	}
	h := hold{
		room:  messages.Room{CPUMilli: want.CPUMilli, Memory: want.Memory, PIDs: want.PIDs, GPU: want.GPU},
		until: now.Add(longestHold),
	}
	if t.holds[node] == nil {
		t.holds[node] = map[Claim]hold{}
	}
	t.holds[node][claim] = h
	t.held[claim] = node
	n := *old
	n.Reserved, n.Handed = plus(n.Reserved, h.room, 1), n.Handed+1
	t.put(old, &n)
}

// Accepted notes that the worker has accepted the attempt.
func (t *Table) Accepted(claim Claim) {
	node, ok := t.held[claim]
	if !ok {
		return
	}
	h := t.holds[node][claim]
	h.accepted = true
	t.holds[node][claim] = h
}

// Release gives back what was held for an attempt that was refused or is over.
func (t *Table) Release(claim Claim) {
	node, ok := t.held[claim]
	if !ok {
		return
	}
	old := t.get(node)
	n := *old
	t.drop(&n, claim)
	t.put(old, &n)
}

// settle drops what the heartbeat that came at now counts itself, and what was
// held for too long. n is not in the table yet.
func (t *Table) settle(n *Node, now time.Time) {
	if n.gone() {
		t.unhold(n)
		return
	}
	for claim, h := range t.holds[n.Name()] {
		if h.accepted || now.After(h.until) {
			t.drop(n, claim)
		}
	}
}

// unhold drops all that is held on a node.
func (t *Table) unhold(n *Node) {
	for claim := range t.holds[n.Name()] {
		t.drop(n, claim)
	}
}

// drop drops a claim on a node and takes it off the node's sums.
func (t *Table) drop(n *Node, claim Claim) {
	claims := t.holds[n.Name()]
	n.Reserved, n.Handed = plus(n.Reserved, claims[claim].room, -1), n.Handed-1
	delete(claims, claim)
	delete(t.held, claim)
	if len(claims) == 0 {
		delete(t.holds, n.Name())
	}
}

// plus is a + sign·b.
func plus(a, b messages.Room, sign int64) messages.Room {
	return messages.Room{
		CPUMilli: a.CPUMilli + sign*b.CPUMilli, Memory: a.Memory + sign*b.Memory,
		PIDs: a.PIDs + sign*b.PIDs, GPU: a.GPU + sign*b.GPU,
	}
}
