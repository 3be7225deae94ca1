package peer

import (
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// CanRun tells whether a node runs at least one of the platforms.
func CanRun(c *messages.Capabilities, want []messages.Platform) bool {
	for _, w := range want {
		for i := range c.Platforms {
			if Matches(c.Platforms[i].Platform, w) {
				return true
			}
		}
	}
	return false
}

// Matches tells whether an offered platform serves a wanted one. An empty field
// of the wanted one asks for nothing; an empty version of the offered one is
// unknown, and the node's own admission decides.
func Matches(offer, want messages.Platform) bool {
	if want.OS != "" && want.OS != offer.OS {
		return false
	}
	if want.Arch != "" && want.Arch != offer.Arch {
		return false
	}
	return sameBuild(offer.OSVersion, want.OSVersion)
}

// sameBuild compares versions by their first three parts: a Windows container
// runs on hosts of its own build, whatever their revision.
func sameBuild(offer, want string) bool {
	if want == "" || offer == "" {
		return true
	}
	return build(offer) == build(want)
}

func build(version string) string {
	parts := strings.SplitN(version, ".", 4)
	return strings.Join(parts[:min(3, len(parts))], ".")
}
