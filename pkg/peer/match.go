package peer

import "github.com/shunt-fleet/shunt/pkg/messages"

// CanRun tells whether a node runs at least one of the platforms, as far as its
// heartbeat tells: what it leaves open, the node's own admission decides.
func CanRun(c *messages.Capabilities, want []messages.Platform) bool {
	for _, w := range want {
		for i := range c.Platforms {
			if messages.FitOf(c.Platforms[i].Platform, w).OK() {
				return true
			}
		}
	}
	return false
}

// platformsRun is CanRun of a kind of node.
func platformsRun(have, want []messages.Platform) bool {
	for _, w := range want {
		for _, p := range have {
			if messages.FitOf(p, w).OK() {
				return true
			}
		}
	}
	return false
}
