//go:build linux || windows

package containerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Lookup is the digest and the whole set of platforms of an image in the store,
// also of those whose content was not fetched. It is NotFound when the store
// has no image of that name.
func (r *Runtime) Lookup(ctx context.Context, ref string) (digest string, has []messages.Platform, err error) {
	name, err := parseRef("image", ref)
	if err != nil {
		return "", nil, err
	}
	found, err := r.client.ImageService().Get(ctx, name.name)
	if err != nil {
		return "", nil, fmt.Errorf("image %s: %w", name.name, native(err))
	}
	read := func() ([]messages.Platform, error) { return r.platformsOf(ctx, found.Target) }
	if img := r.images.get(imageKey{found.Target.Digest, platforms.Format(r.platform)}); img != nil {
		has, err = img.platforms(read) // known by its digest
	} else {
		has, err = read()
	}
	if err != nil {
		return "", nil, fmt.Errorf("image %s: %w", name.name, err)
	}
	return found.Target.Digest.String(), has, nil
}

// maxIndexDepth bounds indexes within indexes.
const maxIndexDepth = 4

// platformsOf reads the platforms of an index, or of a single manifest.
func (r *Runtime) platformsOf(ctx context.Context, target ocispec.Descriptor) ([]messages.Platform, error) {
	has, err := r.walkPlatforms(ctx, target, maxIndexDepth)
	if err != nil {
		return nil, native(err)
	}
	return has, nil
}

func (r *Runtime) walkPlatforms(ctx context.Context, desc ocispec.Descriptor, depth int) ([]messages.Platform, error) {
	if depth == 0 || desc.Size > maxManifest {
		return nil, fmt.Errorf("%s is too large, or nested too deep: %w", desc.Digest, errdefs.ErrInvalidArgument)
	}
	store := r.client.ContentStore()
	if !images.IsIndexType(desc.MediaType) {
		p, err := singlePlatform(ctx, store, desc)
		return []messages.Platform{p}, err
	}
	data, err := content.ReadBlob(ctx, store, desc)
	if err != nil {
		return nil, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("index %s: %w: %w", desc.Digest, errdefs.ErrDataLoss, err)
	}
	out := indexPlatforms(index)
	for _, m := range index.Manifests {
		if m.Platform != nil && m.Platform.OS != "" {
			continue
		}
		inner, err := r.walkPlatforms(ctx, m, depth-1)
		if errdefs.IsNotFound(err) {
			continue // its content was not fetched
		}
		if err != nil {
			return nil, err
		}
		out = append(out, inner...)
	}
	return unique(out), nil
}

// singlePlatform is the platform in the config of a single image.
func singlePlatform(ctx context.Context, store content.Provider, desc ocispec.Descriptor) (messages.Platform, error) {
	manifest, err := images.Manifest(ctx, store, desc, platforms.All)
	if err != nil {
		return messages.Platform{}, err
	}
	p, err := images.ConfigPlatform(ctx, store, manifest.Config)
	return fromOCI(p), err
}

// indexPlatforms are the platforms that an index names, without attestations,
// which call themselves unknown.
func indexPlatforms(index ocispec.Index) []messages.Platform {
	var out []messages.Platform
	for _, m := range index.Manifests {
		if m.Platform != nil && m.Platform.OS != "" && m.Platform.OS != "unknown" {
			out = append(out, fromOCI(*m.Platform))
		}
	}
	return unique(out)
}

func unique(in []messages.Platform) []messages.Platform {
	var out []messages.Platform
	for _, p := range in {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func (r *Runtime) imageInfo(ctx context.Context, ref string, img *image) (runtime.ImageInfo, error) {
	has, err := img.platforms(func() ([]messages.Platform, error) { return r.platformsOf(ctx, img.target) })
	if err != nil {
		return runtime.ImageInfo{}, fmt.Errorf("image %s: %w", ref, err)
	}
	return runtime.ImageInfo{Reference: ref, Digest: img.target.Digest.String(), Size: img.size(), Platforms: has}, nil
}

// ListImages is every image in the store. The size is that of what was fetched.
func (r *Runtime) ListImages(ctx context.Context) ([]runtime.ImageInfo, error) {
	list, err := r.client.ImageService().List(ctx)
	if err != nil {
		return nil, fmt.Errorf("containerd: list images: %w", native(err))
	}
	var out []runtime.ImageInfo
	for _, i := range list {
		info, err := r.storedInfo(ctx, i)
		if errdefs.IsNotFound(err) {
			continue // removed meanwhile, or still being fetched
		}
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", i.Name, err)
		}
		out = append(out, info)
	}
	return out, nil
}

func (r *Runtime) storedInfo(ctx context.Context, i images.Image) (runtime.ImageInfo, error) {
	if img, err := r.loadImage(ctx, i.Target, r.platform); err == nil {
		return r.imageInfo(ctx, i.Name, img)
	}
	has, err := r.platformsOf(ctx, i.Target)
	if err != nil {
		return runtime.ImageInfo{}, err
	}
	return runtime.ImageInfo{Reference: i.Name, Digest: i.Target.Digest.String(), Platforms: has}, nil
}

// TagImage gives an image a second reference.
func (r *Runtime) TagImage(ctx context.Context, source, target string) error {
	from, err := parseRef("source", source)
	if err != nil {
		return err
	}
	to, err := parseRef("target", target)
	if err != nil {
		return err
	}
	if to.digest != "" {
		return fmt.Errorf("target: %q names a digest; want a tag: %w", target, errdefs.ErrInvalidArgument)
	}
	store := r.client.ImageService()
	img, err := store.Get(ctx, from.name)
	if err != nil {
		return fmt.Errorf("image %s: %w", from.name, native(err))
	}
	tagged := images.Image{Name: to.name, Target: img.Target, Labels: img.Labels}
	_, err = store.Create(ctx, tagged)
	if errdefs.IsAlreadyExists(err) {
		_, err = store.Update(ctx, tagged, "target")
	}
	if err != nil {
		return fmt.Errorf("tag %s as %s: %w", from.name, to.name, native(err))
	}
	return nil
}

// RemoveImage drops a reference. An image is in use by the containers that were
// made under this reference.
func (r *Runtime) RemoveImage(ctx context.Context, ref string, force bool) error {
	name, err := parseRef("image", ref)
	if err != nil {
		return err
	}
	r.inUse.Lock()
	defer r.inUse.Unlock()
	if !force {
		users, err := r.records.List(ctx, fmt.Sprintf("image==%q", name.name))
		if err != nil {
			return fmt.Errorf("image %s: %w", name.name, native(err))
		}
		if len(users) > 0 {
			return fmt.Errorf("image %s: %d containers use it, one is %s; remove them first, or remove it with force: %w",
				name.name, len(users), users[0].ID, errdefs.ErrFailedPrecondition)
		}
	}
	if err := r.client.ImageService().Delete(ctx, name.name, images.SynchronousDelete()); err != nil {
		return fmt.Errorf("image %s: %w", name.name, native(err))
	}
	return nil
}

// PruneImages drops the images of which there is no container.
func (r *Runtime) PruneImages(ctx context.Context) (runtime.PruneResult, error) {
	r.inUse.Lock()
	defer r.inUse.Unlock()
	used, err := r.usedDigests(ctx)
	if err != nil {
		return runtime.PruneResult{}, err
	}
	store := r.client.ImageService()
	list, err := store.List(ctx)
	if err != nil {
		return runtime.PruneResult{}, fmt.Errorf("containerd: list images: %w", native(err))
	}
	before, err := r.storeSize(ctx)
	if err != nil {
		return runtime.PruneResult{}, err
	}
	var out runtime.PruneResult
	var errs []error
	for _, i := range list {
		if used[i.Target.Digest.String()] {
			continue
		}
		err := store.Delete(ctx, i.Name, images.SynchronousDelete())
		if err == nil {
			out.Deleted = append(out.Deleted, i.Name)
		} else if !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("image %s: %w", i.Name, native(err)))
		}
	}
	after, err := r.storeSize(ctx)
	out.SpaceReclaimed = max(0, before-after)
	return out, errors.Join(append(errs, err)...)
}

func (r *Runtime) usedDigests(ctx context.Context) (map[string]bool, error) {
	recs, err := r.records.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("containerd: list containers: %w", native(err))
	}
	used := map[string]bool{}
	for _, rec := range recs {
		used[rec.Labels[labelDigest]] = true
	}
	return used, nil
}

// storeSize is what the content store holds, in bytes.
func (r *Runtime) storeSize(ctx context.Context) (total int64, err error) {
	seen := map[digest.Digest]bool{}
	err = r.client.ContentStore().Walk(ctx, func(i content.Info) error {
		if !seen[i.Digest] {
			seen[i.Digest] = true
			total += i.Size
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("containerd: walk the content store: %w", native(err))
	}
	return total, nil
}
