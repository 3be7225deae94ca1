package memory

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// serves tells whether an offered platform does for what is wanted.
func serves(offer, want messages.Platform) bool { return messages.FitOf(offer, want).OK() }

// refuse is nil when one of the platforms serves what is wanted, and the
// verdict otherwise.
func refuse(service, image string, offers []messages.Platform, want messages.Platform) error {
	verdict := &runtime.RouteToPeerError{
		Service:      service,
		RequiredOS:   want.OS,
		RequiredArch: want.Arch,
		Code:         messages.RefusePlatform,
		Reason:       fmt.Sprintf("%s needs %s; the memory runtime of this node runs %s", image, want, list(offers)),
		Platforms:    []messages.Platform{want},
	}
	for _, offer := range offers {
		if serves(offer, want) {
			return nil
		}
		if messages.FitOf(offer, want) == messages.FitOtherBuild {
			verdict.Code = messages.RefuseOSVersion
		}
	}
	return verdict
}

func list(platforms []messages.Platform) string {
	words := make([]string, len(platforms))
	for i, p := range platforms {
		words[i] = p.String()
	}
	return strings.Join(words, ", ")
}

// normalize writes a reference out in full, so that "nginx" and
// "docker.io/library/nginx:latest" are one image.
func normalize(ref string) (string, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return "", fmt.Errorf("image %q is not a reference; want [registry/]name[:tag] or [registry/]name@sha256:…: %w", ref, errdefs.ErrInvalidArgument)
	}
	full := parsed.Name()
	if rest, ok := strings.CutPrefix(full, name.DefaultRegistry+"/"); ok {
		return "docker.io/" + rest, nil
	}
	return full, nil
}
