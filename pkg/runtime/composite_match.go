package runtime

import (
	"cmp"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// bestOf finds what serves best: the offers in their order, and for the first
// that serves anything the wanted platform it fits best. What the wanted one
// leaves open the offer fills, but for the version of the system, which is the
// host's and not the image's.
func bestOf(offers, wanted []messages.Platform) (best messages.Platform, ok bool) {
	for _, offer := range offers {
		top := messages.FitOtherBuild
		for _, want := range wanted {
			if f := messages.FitOf(offer, want); f > top {
				top, best = f, filled(want, offer)
			}
		}
		if top.OK() {
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
