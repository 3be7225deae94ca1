package image

import (
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Matches says whether what is offered serves what is wanted. A field that
// either leaves empty is no obstacle. Architectures are compared as Go names
// them, so x86_64 is amd64 and every variant of 32-bit ARM is arm. The version
// of the system counts on Windows only, where a container that shares its
// host's kernel needs the host's build: the first three parts (10.0.20348) have
// to be the same, the revision behind them not.
func Matches(offer, want messages.Platform) bool {
	return rank(offer, want).OK()
}

// Select finds the platform of an image that serves what is wanted best: the
// same version of the system before the same build, and that before an unknown
// one; among equals the image's own order decides.
func Select(platforms []messages.Platform, want messages.Platform) (best messages.Platform, ok bool) {
	i := pick(platforms, want)
	if i < 0 {
		return best, false
	}
	return platforms[i], true
}

// pick is the index that Select chooses, or -1.
func pick(platforms []messages.Platform, want messages.Platform) int {
	best, most := -1, messages.FitOtherBuild
	for i, p := range platforms {
		if r := rank(p, want); r > most {
			best, most = i, r
		}
	}
	return best
}

// rank is how well an image's platform serves what is wanted, once both are
// named as Go names them.
func rank(offer, want messages.Platform) messages.Fit {
	return messages.FitOf(normal(offer), normal(want))
}

func normal(p messages.Platform) messages.Platform {
	return messages.Platform{OS: normalOS(p.OS), Arch: normalArch(p.Arch), OSVersion: p.OSVersion}
}

func normalOS(os messages.OS) messages.OS {
	lower := strings.ToLower(string(os))
	if known, ok := messages.ParseOS(lower); ok {
		return known
	}
	return messages.OS(lower)
}

func normalArch(arch string) string {
	arch = strings.ToLower(arch)
	switch arch {
	case "x86_64", "x86-64":
		return "amd64"
	case "aarch64", "armv8", "armv8l":
		return "arm64"
	case "i386", "i486", "i586", "i686", "x86":
		return "386"
	case "armhf", "armel", "armv5", "armv6", "armv7", "armv5l", "armv6l", "armv7l":
		return "arm"
	}
	return arch
}
