//go:build linux || windows

package containerd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// image is what is needed of an image to make containers of it. It depends on
// its digest and the platform alone, so it is read once.
type image struct {
	target   ocispec.Descriptor // what the reference names
	manifest ocispec.Manifest   // of the platform
	config   ocispec.ImageConfig
	platform messages.Platform
	chain    string // the snapshot of its unpacked layers

	users imageUsers

	mu  sync.Mutex
	has []messages.Platform // of the whole index; empty: not read yet
}

// platforms is the whole set that the image's reference stands for.
func (i *image) platforms(read func() ([]messages.Platform, error)) ([]messages.Platform, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.has) == 0 {
		has, err := read()
		if err != nil {
			return nil, err
		}
		i.has = has
	}
	return slices.Clone(i.has), nil
}

// imageCache holds the images that were used last.
type imageCache struct {
	mu    sync.Mutex
	known map[imageKey]*image
}

type imageKey struct {
	target   digest.Digest
	platform string
}

// maxKnownImages bounds the cache; what falls out is read again.
const maxKnownImages = 256

func (c *imageCache) get(k imageKey) *image {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[k]
}

func (c *imageCache) put(k imageKey, img *image) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[imageKey]*image{}
	}
	for old := range c.known {
		if len(c.known) < maxKnownImages {
			break
		}
		delete(c.known, old)
	}
	c.known[k] = img
}

// loadImage reads an image's parts for a platform. It is NotFound when the
// image has none for it, or when its content is not all there.
func (r *Runtime) loadImage(ctx context.Context, target ocispec.Descriptor, want ocispec.Platform) (*image, error) {
	key := imageKey{target: target.Digest, platform: platforms.Format(want)}
	if img := r.images.get(key); img != nil {
		return img, nil
	}
	store := r.client.ContentStore()
	match := platforms.Only(want)
	available, _, _, missing, err := images.Check(ctx, store, target, match)
	if err != nil {
		return nil, native(err)
	}
	if !available || len(missing) > 0 {
		return nil, fmt.Errorf("%d parts of %s for %s are not in the store: %w", len(missing), target.Digest, platforms.Format(want), errdefs.ErrNotFound)
	}
	manifest, err := images.Manifest(ctx, store, target, match)
	if err != nil {
		return nil, native(err)
	}
	data, err := content.ReadBlob(ctx, store, manifest.Config)
	if err != nil {
		return nil, native(err)
	}
	var config ocispec.Image
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, fmt.Errorf("config of image %s: %w: %w", target.Digest, errdefs.ErrDataLoss, err)
	}
	img := &image{
		target:   target,
		manifest: manifest,
		config:   config.Config,
		platform: fromOCI(config.Platform),
		chain:    identity.ChainID(config.RootFS.DiffIDs).String(),
	}
	r.images.put(key, img)
	return img, nil
}

// size is what the image's parts take in the content store, in bytes.
func (i *image) size() int64 {
	total := i.manifest.Config.Size
	for _, l := range i.manifest.Layers {
		total += l.Size
	}
	return total
}
