package placement

import (
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// mostPlatforms bounds what a record keeps of an image's platforms.
const mostPlatforms = 32

// learn keeps what a refusal says of the platforms that would do, so that they
// limit every later placement. A later refusal narrows what an earlier one
// said; one that contradicts it is the newer word on an image that has moved.
func (s *step) learn(route *messages.RouteToPeer) {
	if route.Code != messages.RefusePlatform && route.Code != messages.RefuseOSVersion {
		return
	}
	said := route.Platforms[:min(len(route.Platforms), mostPlatforms)]
	if len(said) == 0 && (route.RequiredOS != "" || route.RequiredArch != "") {
		said = []messages.Platform{{OS: route.RequiredOS, Arch: route.RequiredArch}}
	}
	if both := narrow(s.rec.Platforms, said); len(both) > 0 {
		said = both
	}
	if len(said) > 0 {
		s.rec.Platforms = said
	}
}

// narrow is what two sets of platforms agree on, each pair in the words of the
// one that says more; none when they share nothing.
func narrow(known, said []messages.Platform) []messages.Platform {
	var both []messages.Platform
	add := func(p messages.Platform) {
		if len(both) < mostPlatforms && !slices.Contains(both, p) {
			both = append(both, p)
		}
	}
	for _, k := range known {
		for _, n := range said {
			switch {
			case says(k, n):
				add(k)
			case says(n, k):
				add(n)
			}
		}
	}
	return both
}

// says tells whether p demands everything that q does.
func says(p, q messages.Platform) bool {
	return (q.OS == "" || p.OS == q.OS) && (q.Arch == "" || p.Arch == q.Arch) &&
		(q.OSVersion == "" || p.OSVersion == q.OSVersion)
}
