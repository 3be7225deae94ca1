package runtime

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// most platforms that a reason lists; the others are counted.
const mostListed = 6

// verdict says that no member can run what is wanted, what that needs, and what
// one can do about it.
func verdict(d demand, wanted []messages.Platform, members []ability) *RouteToPeerError {
	asked := d.asks(wanted)
	wanted = sound(wanted)
	var have []messages.Platform
	for _, m := range members {
		if m.away == nil {
			have = append(have, m.platforms...)
		}
	}
	v := &RouteToPeerError{
		Service:      d.service,
		RequiredOS:   same(wanted, func(p messages.Platform) messages.OS { return p.OS }),
		RequiredArch: same(wanted, func(p messages.Platform) string { return p.Arch }),
		Code:         messages.RefusePlatform,
		Platforms:    wanted,
	}
	parts := []string{asked, runs(have)}
	switch nearest(have, wanted) {
	case messages.FitOtherBuild:
		v.Code = messages.RefuseOSVersion
		parts = append(parts, "the Windows build differs, and has to be the same in the first three parts")
	case messages.FitOtherArch:
		parts = append(parts, "the architecture differs")
	}
	v.Reason = messages.TruncateReason(strings.Join(append(parts, advice(have, wanted)), "; "))
	return v
}

// asks says what is demanded, and by whom.
func (d demand) asks(wanted []messages.Platform) string {
	if d.made == nil || len(wanted) == 1 && wanted[0] == d.spec {
		return fmt.Sprintf("image %s is asked for as %s", d.image, list(wanted))
	}
	return fmt.Sprintf("image %s is made for %s", d.image, list(wanted))
}

func runs(have []messages.Platform) string {
	if len(have) == 0 {
		return "this node runs nothing just now"
	}
	return "this node runs " + list(have)
}

// advice is the ways out, those on this node first.
func advice(have, wanted []messages.Platform) string {
	var ways []string
	note := ""
	if anyOS(wanted, messages.Linux) && !anyOS(have, messages.Linux) {
		switch {
		case anyOS(have, messages.Windows) && delegable(have, wanted, messages.Windows):
			ways = append(ways, "enable `--install-wsl yes` on this node")
		case anyOS(have, messages.Windows):
			note = "`--install-wsl yes` on this node would not do, as WSL has the node's own architecture; "
		case anyOS(have, messages.Darwin):
			ways = append(ways, "give this node a Linux delegate (`--delegate 'limactl shell …'`)")
		}
	}
	return note + strings.Join(append(ways, "add "+peers(wanted)+" to the cluster"), " or ")
}

// delegable tells whether Linux beside that system, on its architecture, would
// do.
func delegable(have, wanted []messages.Platform, os messages.OS) bool {
	for _, p := range have {
		if p.OS != os {
			continue
		}
		if _, ok := bestOf([]messages.Platform{{OS: messages.Linux, Arch: p.Arch}}, wanted); ok {
			return true
		}
	}
	return false
}

// peers are the kinds of node that would do.
func peers(wanted []messages.Platform) string {
	var kinds []string
	for _, p := range wanted {
		kind := "a " + title(p.OS) + " peer"
		if p.Arch != "" {
			kind += " with " + p.Arch
		}
		if p.OS == messages.Windows && p.OSVersion != "" {
			kind += " and build " + messages.WindowsBuild(p.OSVersion)
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return strings.Join(kinds[:min(len(kinds), mostListed)], " or ")
}

func title(os messages.OS) string {
	switch os {
	case messages.Linux:
		return "Linux"
	case messages.Windows:
		return "Windows"
	case messages.Darwin:
		return "macOS"
	}
	return "capable"
}

// sound leaves out what no node can be, and what could not travel.
func sound(platforms []messages.Platform) []messages.Platform {
	var out []messages.Platform
	for _, p := range platforms {
		if p.Validate() == nil {
			out = append(out, p)
		}
	}
	return out
}

// nearest is how close the nearest offer comes.
func nearest(have, wanted []messages.Platform) messages.Fit {
	near := messages.FitOtherOS
	for _, offer := range have {
		for _, want := range wanted {
			near = max(near, messages.FitOf(offer, want))
		}
	}
	return near
}

func anyOS(platforms []messages.Platform, os messages.OS) bool {
	return slices.ContainsFunc(platforms, func(p messages.Platform) bool { return p.OS == os })
}

// same is what all platforms have in common, or nothing.
func same[T comparable](platforms []messages.Platform, of func(messages.Platform) T) (common T) {
	for i, p := range platforms {
		switch v := of(p); {
		case i == 0:
			common = v
		case v != common:
			var none T
			return none
		}
	}
	return common
}

func list(platforms []messages.Platform) string {
	var names []string
	for _, p := range platforms {
		if name := p.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if more := len(names) - mostListed; more > 0 {
		names = append(names[:mostListed], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
