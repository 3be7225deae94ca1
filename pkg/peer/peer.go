// Package peer is the table of who is alive in a fleet: what each node said of
// itself in its last heartbeat, when it was heard, and what has been handed out
// to it since.
//
// It is pure. Time comes in as an argument, from the receiver's clock alone: a
// node is alive while less than its own time-to-live has passed since it was
// heard here, whatever its clock says. Nothing in this package does I/O or
// reads a clock, so one goroutine can own a Table, and a test can drive it
// through hours in a microsecond. A Table is not safe for concurrent use, nor is
// the Judge of one; a Snapshot never changes and is. Taking one costs the same
// for ten nodes as for a hundred thousand (see index).
//
// A worker that only wants to know its peers calls Hear, and Expire before it
// looks. A placer, whose word moves jobs, calls:
//
//   - Table.Hear for every heartbeat; Table.Expect for every node that a record
//     names and that was not heard yet; Table.Forget when a node is retired.
//   - Judge.Settled when its connection is up, Judge.Unsettled when it breaks;
//     Judge.Look at every turn of its sweep. The nodes that Look wants asked are
//     asked by request, and what came of it goes to Judge.Answered or, when
//     nobody responded in time on a connection that stood, to Judge.Silent.
//   - Table.Reserve before it sends a command that takes room, Table.Accepted
//     when the worker has accepted it, Table.Release when it has refused it or
//     the attempt is over.
//
// Reading order: peer.go, table.go, voices.go (two workers under one name),
// judge.go, reserve.go; then how it is fast: cow.go, parts.go, index.go, pool.go.
package peer

import (
	"strconv"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Node is a node as a table knows it. Nodes are never written to once they are
// in a table: news make a new one.
type Node struct {
	// What every comparison of nodes reads comes first, so that it lies together
	// in memory.

	// State is as of the last heartbeat or judgement. It is "" for a node that
	// is expected and was neither heard nor judged yet: not a state on the wire,
	// so lists leave such nodes out.
	State  messages.NodeState
	room   messages.Room // roomOf it
	Handed int           // jobs just handed out, see Reserved

	Caps    messages.Capabilities // its newest heartbeat
	Heard   time.Time             // when that came, or when it last answered
	Changed time.Time             // when what it can do last changed (see sameAbility)

	// Reserved is the room that was handed out to the node and is not in a
	// heartbeat of its own yet; Handed is to how many jobs.
	Reserved messages.Room

	key  uint64    // a hash of its name
	kind string    // kindOf its heartbeat
	lost time.Time // when it was called lost

	// others are journals that spoke under the name before the one in Caps
	// without having fallen silent; replaced, never written to. contest is when
	// the second of two that speak in turns was last heard.
	others  []voice
	contest time.Time
}

// Name is the node's name.
func (n *Node) Name() string { return n.Caps.Node }

// Usable tells whether work may be sent to the node at all.
func (n *Node) Usable() bool { return n.State == messages.NodeAlive }

// Room is what may still be reserved on the node: what it has free less what was
// just handed out, and math.MaxInt64 of what it does not limit.
func (n *Node) Room() messages.Room { return n.room }

// everHeard tells a node that has spoken from one that is only expected.
func (n *Node) everHeard() bool { return n.Caps.Incarnation != "" }

// gone tells whether the node is known not to be there.
func (n *Node) gone() bool { return n.State == messages.NodeLost || n.State == messages.NodeLeft }

// Journal is the identity of the journal the node's worker keeps.
func (n *Node) Journal() string {
	journal, _ := splitIncarnation(n.Caps.Incarnation)
	return journal
}

// expires is the instant at which silence means loss.
func (n *Node) expires() time.Time { return n.Heard.Add(n.Caps.TTL.Std()) }

// splitIncarnation reads `<journal id>.<n>`; n is 0 where it is not a number.
func splitIncarnation(s string) (journal string, n uint64) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, 0
	}
	n, _ = strconv.ParseUint(s[i+1:], 10, 64)
	return s[:i], n
}
