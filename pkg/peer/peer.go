// Package peer is the table of who is alive in a fleet: what each node said of
// itself in its last heartbeat, and when it was heard.
//
// It is pure. Time comes in as an argument, from the receiver's clock alone: a
// node is alive while less than its own time-to-live has passed since it was
// heard here, whatever its clock says. Nothing in this package does I/O or
// reads a clock, so one goroutine can own a Table, and a test can drive it
// through hours in a microsecond. A Table is not safe for concurrent use; a
// Snapshot of it never changes and is.
package peer

import (
	"strconv"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Node is a node as a table knows it.
type Node struct {
	Caps    messages.Capabilities // its newest heartbeat
	Heard   time.Time             // when that came
	Changed time.Time             // when what it can do last changed (see sameAbility)
	State   messages.NodeState    // as of the last Hear or Expire

	// others are journals that spoke under the name before the one in Caps
	// without having fallen silent; replaced, never written to. contest is when
	// the second of two that speak in turns was last heard.
	others  []voice
	contest time.Time
}

// voice is a journal and when it was last heard.
type voice struct {
	journal string
	heard   time.Time
}

// Name is the node's name.
func (n *Node) Name() string { return n.Caps.Node }

// Usable tells whether work may be sent to the node at all.
func (n *Node) Usable() bool { return n.State == messages.NodeAlive }

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
