package peer

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// voice is a journal and when it was last heard.
type voice struct {
	journal string
	heard   time.Time
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
