package memory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Image is what a Machine knows of an image for one platform.
type Image struct {
	Digest     string // of what the reference names, so the same for all of its platforms
	Platform   messages.Platform
	Size       int64 // bytes to pull
	Entrypoint []string
	Cmd        []string
	StopSignal string // as SIGTERM; "": TERM
}

// ImageSource tells what a reference names. Errors are of errdefs' classes:
// NotFound when there is no such image, or not for that platform, Unavailable
// when it cannot be told now. It must be safe for concurrent use.
type ImageSource interface {
	// Image is the image as it is for a platform. pull says how sure that has
	// to be; auth is nil for the node's own credentials.
	Image(ctx context.Context, ref string, platform messages.Platform, pull messages.PullPolicy, auth *messages.RegistryAuth) (Image, error)
}

// StaticImages is an ImageSource that is a table: by reference, an image for
// each of its platforms. References need not be written out in full. A Digest
// that is left out is made of the entry. The table must not be changed while it
// is in use.
type StaticImages map[string][]Image

var (
	_ ImageSource              = StaticImages(nil)
	_ runtime.PlatformResolver = StaticImages(nil)
)

// Image looks the reference up; policy and credentials do not matter.
func (s StaticImages) Image(ctx context.Context, ref string, platform messages.Platform, _ messages.PullPolicy, _ *messages.RegistryAuth) (Image, error) {
	if err := ctx.Err(); err != nil {
		return Image{}, fmt.Errorf("image %s: %w", ref, err)
	}
	images, err := s.find(ref)
	if err != nil {
		return Image{}, err
	}
	made := make([]messages.Platform, len(images))
	for i, image := range images {
		if serves(platform, image.Platform) {
			if image.Digest == "" {
				image.Digest = digestOf(images)
			}
			return image, nil
		}
		made[i] = image.Platform
	}
	return Image{}, fmt.Errorf("image %s is not made for %s, only for %s: %w", ref, platform, list(made), errdefs.ErrNotFound)
}

// Platforms is every platform an image is made for, with its digest, as a
// registry would tell: a StaticImages is a runtime.PlatformResolver too.
func (s StaticImages) Platforms(ctx context.Context, ref string, _ messages.PullPolicy, _ *messages.RegistryAuth) (string, []messages.Platform, error) {
	if err := ctx.Err(); err != nil {
		return "", nil, fmt.Errorf("image %s: %w", ref, err)
	}
	images, err := s.find(ref)
	if err != nil {
		return "", nil, err
	}
	if len(images) == 0 {
		return "", nil, fmt.Errorf("image %s is made for nothing: %w", ref, errdefs.ErrNotFound)
	}
	made := make([]messages.Platform, len(images))
	for i, image := range images {
		made[i] = image.Platform
	}
	return cmp.Or(images[0].Digest, digestOf(images)), made, nil
}

func (s StaticImages) find(ref string) ([]Image, error) {
	if images, ok := s[ref]; ok {
		return images, nil
	}
	want, err := normalize(ref)
	if err != nil {
		return nil, err
	}
	for name, images := range s {
		if have, err := normalize(name); err == nil && have == want {
			return images, nil
		}
	}
	return nil, fmt.Errorf("image %s: no such image: %w", ref, errdefs.ErrNotFound)
}

// digestOf makes a digest of all that an entry says.
func digestOf(images []Image) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", images))
	return "sha256:" + hex.EncodeToString(sum[:])
}
