package runtime

import (
	"cmp"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// fit is how well an offered platform serves a wanted one, worse to better.
type fit int

const (
	fitOtherOS fit = iota
	fitOtherArch
	fitOtherBuild   // Windows, and the builds differ
	fitUnknownBuild // it fits as far as one can tell
	fitSameBuild
	fitExact
)

// ok tells whether the offer can run what is wanted.
func (f fit) ok() bool { return f >= fitUnknownBuild }

// fitOf compares an offer with what is wanted. A field that either leaves empty
// is no obstacle. A Windows container shares its host's kernel, so the builds,
// the first three parts of the version, have to agree; elsewhere the version
// means nothing.
func fitOf(offer, want messages.Platform) fit {
	os := want.OS
	switch {
	case os == "":
		os = offer.OS
	case offer.OS != "" && offer.OS != os:
		return fitOtherOS
	}
	switch {
	case offer.Arch != "" && want.Arch != "" && offer.Arch != want.Arch:
		return fitOtherArch
	case os != messages.Windows:
		return fitExact
	case offer.OSVersion == "" || want.OSVersion == "":
		return fitUnknownBuild
	case offer.OSVersion == want.OSVersion:
		return fitExact
	case build(offer.OSVersion) == build(want.OSVersion):
		return fitSameBuild
	}
	return fitOtherBuild
}

// build is the first three parts of a Windows version: 10.0.20348.
func build(version string) string {
	parts := strings.SplitN(version, ".", 4)
	return strings.Join(parts[:min(len(parts), 3)], ".")
}

// bestOf finds what serves best: the offers in their order, and for the first
// that serves anything the wanted platform it fits best. What the wanted one
// leaves open the offer fills, but for the version of the system, which is the
// host's and not the image's.
func bestOf(offers, wanted []messages.Platform) (best messages.Platform, ok bool) {
	for _, offer := range offers {
		top := fitOtherBuild
		for _, want := range wanted {
			if f := fitOf(offer, want); f > top {
				top, best = f, filled(want, offer)
			}
		}
		if top.ok() {
			return best, true
		}
	}
	return messages.Platform{}, false
}

func filled(want, offer messages.Platform) messages.Platform {
	want.OS = cmp.Or(want.OS, offer.OS)
	want.Arch = cmp.Or(want.Arch, offer.Arch)
	return want
}

// complete tells whether a demand leaves an image nothing to decide.
func complete(p messages.Platform) bool {
	return p.OS != "" && p.Arch != "" && (p.OS != messages.Windows || p.OSVersion != "")
}
