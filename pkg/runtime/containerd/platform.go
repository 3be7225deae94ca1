//go:build linux || windows

package containerd

import (
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/runhcs"
)

func fromOCI(p ocispec.Platform) messages.Platform {
	return messages.Platform{OS: messages.OS(p.OS), Arch: p.Architecture, OSVersion: p.OSVersion}
}

// choose is the platform to take of an image: what was asked for, completed
// with this machine's own. ok is false when this machine does not run it.
func (r *Runtime) choose(wants ...messages.Platform) (p ocispec.Platform, refused messages.Platform, ok bool) {
	p = r.platform
	for _, want := range wants {
		if want.OS != "" && string(want.OS) != p.OS {
			return p, want, false
		}
		if want.Arch != "" && want.Arch != p.Architecture {
			given := ocispec.Platform{OS: p.OS, Architecture: want.Arch}
			if !platforms.Only(r.platform).Match(platforms.Normalize(given)) {
				return p, want, false
			}
			p = platforms.Normalize(given)
		}
		if want.OS = messages.OS(p.OS); want.OS == messages.Windows && !runhcs.Fits(fromOCI(r.platform), want) {
			return p, want, false
		}
	}
	return p, messages.Platform{}, true
}

// route is the verdict that a peer with one of these platforms is needed.
func (r *Runtime) route(service, what string, needed ...messages.Platform) error {
	var names []string
	for _, p := range needed {
		names = append(names, p.String())
	}
	verdict := &runtime.RouteToPeerError{
		Service: service,
		Code:    messages.RefusePlatform,
		Reason: fmt.Sprintf("%s is for %s; this machine runs %s",
			what, strings.Join(names, ", "), fromOCI(r.platform)),
		Platforms: needed,
	}
	if runhcs.OtherBuild(fromOCI(r.platform), needed...) {
		verdict.Code = messages.RefuseOSVersion
	}
	if len(needed) > 0 {
		verdict.RequiredOS = needed[0].OS
		verdict.RequiredArch = needed[0].Arch
	}
	for _, p := range needed[min(1, len(needed)):] { // one value only where it is the only one
		if p.OS != verdict.RequiredOS {
			verdict.RequiredOS = ""
		}
		if p.Arch != verdict.RequiredArch {
			verdict.RequiredArch = ""
		}
	}
	return verdict
}
