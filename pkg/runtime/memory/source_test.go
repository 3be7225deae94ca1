package memory_test

import (
	"slices"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

func TestStaticImagesTellTheirPlatforms(t *testing.T) {
	linux := messages.Platform{OS: messages.Linux, Arch: "amd64"}
	windows := messages.Platform{OS: messages.Windows, Arch: "amd64"}
	images := memory.StaticImages{
		"team/both:1":    {{Platform: linux}, {Platform: windows}},
		"team/nothing:1": {},
	}
	digest, platforms, err := images.Platforms(t.Context(), "docker.io/team/both:1", messages.PullAlways, nil)
	if err != nil || digest == "" || !slices.Equal(platforms, []messages.Platform{linux, windows}) {
		t.Errorf("%q %v (%v)", digest, platforms, err)
	}
	image, err := images.Image(t.Context(), "team/both:1", linux, messages.PullAlways, nil)
	if err != nil || image.Digest != digest {
		t.Errorf("the image itself has the digest %q (%v), not %q", image.Digest, err, digest)
	}
	for _, ref := range []string{"team/nothing:1", "team/unknown:1"} {
		if _, _, err := images.Platforms(t.Context(), ref, messages.PullAlways, nil); !errdefs.IsNotFound(err) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}
