package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// held is an image on the machine: one reference, and an Image for each
// platform that it was pulled for. It does not change; what replaces it is new.
type held struct {
	images []Image
}

func (h *held) digest() string { return h.images[0].Digest }

func (h *held) platforms() []messages.Platform {
	platforms := make([]messages.Platform, len(h.images))
	for i, image := range h.images {
		platforms[i] = image.Platform
	}
	return platforms
}

func (h *held) size() (bytes int64) {
	for _, image := range h.images {
		bytes += image.Size
	}
	return bytes
}

func (h *held) info(ref string) runtime.ImageInfo {
	return runtime.ImageInfo{Reference: ref, Digest: h.digest(), Size: h.size(), Platforms: h.platforms()}
}

// serves tells whether the image is held for what is wanted.
func (h *held) serves(want messages.Platform) bool {
	return slices.ContainsFunc(h.images, func(image Image) bool { return serves(want, image.Platform) })
}

// with is the image with one more platform; other digests are outdated by it.
func (h *held) with(image Image) *held {
	images := []Image{image}
	if h != nil && h.digest() == image.Digest {
		for _, old := range h.images {
			if old.Platform != image.Platform {
				images = append(images, old)
			}
		}
	}
	return &held{images}
}

// ListImages is every reference that is held.
func (r *Runtime) ListImages(ctx context.Context) ([]runtime.ImageInfo, error) {
	unlock, err := r.enter(ctx, "list images")
	if err != nil {
		return nil, err
	}
	defer unlock()
	all := make([]runtime.ImageInfo, 0, len(r.m.images))
	for ref, h := range r.m.images {
		all = append(all, h.info(ref))
	}
	return all, nil
}

// image is what a reference names, under the lock.
func (m *Machine) image(what, ref string) (full string, h *held, err error) {
	if full, err = normalize(ref); err != nil {
		return "", nil, fmt.Errorf("%s: %w", what, err)
	}
	h, ok := m.images[full]
	if !ok {
		return "", nil, fmt.Errorf("%s: image %s is not on this node: %w", what, ref, errdefs.ErrNotFound)
	}
	return full, h, nil
}

// RemoveImage drops a reference.
func (r *Runtime) RemoveImage(ctx context.Context, ref string, force bool) error {
	unlock, err := r.enter(ctx, "remove image")
	if err != nil {
		return err
	}
	defer unlock()
	full, _, err := r.m.image("remove image", ref)
	if err != nil {
		return err
	}
	for _, c := range r.m.containers {
		if c.imageRef == full && !force {
			return fmt.Errorf("remove image: container %s uses %s; remove it first, or force: %w", c.id, ref, errdefs.ErrFailedPrecondition)
		}
	}
	delete(r.m.images, full)
	return nil
}

// TagImage gives an image a second reference.
func (r *Runtime) TagImage(ctx context.Context, source, target string) error {
	unlock, err := r.enter(ctx, "tag image")
	if err != nil {
		return err
	}
	defer unlock()
	_, h, err := r.m.image("tag image", source)
	if err != nil {
		return err
	}
	full, err := normalize(target)
	if err != nil {
		return fmt.Errorf("tag image: %w", err)
	}
	r.m.images[full] = h
	return nil
}

// PruneImages drops every reference to content that no container uses.
func (r *Runtime) PruneImages(ctx context.Context) (runtime.PruneResult, error) {
	unlock, err := r.enter(ctx, "prune images")
	if err != nil {
		return runtime.PruneResult{}, err
	}
	defer unlock()
	used := map[string]bool{}
	for _, c := range r.m.containers {
		used[c.image.Digest] = true
	}
	var pruned runtime.PruneResult
	for _, ref := range slices.Sorted(maps.Keys(r.m.images)) {
		h := r.m.images[ref]
		if used[h.digest()] && h.digest() != "" || r.m.uses(ref) {
			continue
		}
		delete(r.m.images, ref)
		pruned.Deleted = append(pruned.Deleted, ref)
		if !r.m.holds(h.digest()) {
			pruned.SpaceReclaimed += h.size()
		}
	}
	return pruned, nil
}

// uses tells whether a container was made from a reference.
func (m *Machine) uses(ref string) bool {
	for _, c := range m.containers {
		if c.imageRef == ref {
			return true
		}
	}
	return false
}

// holds tells whether any reference to a digest is left.
func (m *Machine) holds(digest string) bool {
	for _, h := range m.images {
		if h.digest() == digest {
			return true
		}
	}
	return false
}
