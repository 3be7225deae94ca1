package sim

import (
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A node that is well is not to be taken for lost: that more than one of its
// heartbeats in a row gets lost is what partitions are for, which the history
// tells of.

// isHeartbeat tells whether a subject, or a filter, is that of heartbeats.
func isHeartbeat(subject string) bool {
	return strings.HasPrefix(subject, root.Capabilities("")) || subject == root.Capabilities(messages.Any)
}

// spared tells whether a heartbeat must not get lost, since the one before did.
func (p *process) spared() bool { return p.count("heartbeats lost")%2 == 0 }
