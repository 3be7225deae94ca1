//go:build linux || windows

package containerd

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Pull fetches and unpacks the image for one platform. What a digest names is
// fetched once, whatever the policy. Under "newer" an image that is here is
// used while its registry cannot be reached.
func (r *Runtime) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	name, err := parseRef("image", ref)
	if err != nil {
		return runtime.ImageInfo{}, err
	}
	platform, refused, ok := r.choose(opts.Platform)
	if !ok {
		return runtime.ImageInfo{}, r.route("", "the platform asked for", refused)
	}
	unlock, err := r.pulls.lock(ctx, name.name+" "+platforms.Format(platform))
	if err != nil {
		return runtime.ImageInfo{}, err
	}
	defer unlock()
	img, err := r.pullAs(ctx, name, platform, opts)
	if err != nil {
		return runtime.ImageInfo{}, err
	}
	return r.imageInfo(ctx, ref, img)
}

// pullAs does what the policy says.
func (r *Runtime) pullAs(ctx context.Context, ref imageRef, platform ocispec.Platform, opts runtime.PullOptions) (*image, error) {
	policy := opts.Policy.Or(messages.PullIfNotPresent)
	held, err := r.held(ctx, ref, platform)
	if err != nil && !errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("image %s: %w", ref.name, err)
	}
	switch policy {
	case messages.PullNever:
		if held == nil {
			return nil, fmt.Errorf("image %s: it is not here for %s, and pull is %q: %w", ref.name, platforms.Format(platform), policy, errdefs.ErrNotFound)
		}
		return held, nil
	case messages.PullIfNotPresent, messages.PullAlways, messages.PullNewer:
	default:
		return nil, fmt.Errorf("pull: %q is not known; want always, newer, if_not_present or never: %w", policy, errdefs.ErrInvalidArgument)
	}
	if held != nil && (policy == messages.PullIfNotPresent || ref.digest != "") {
		return held, nil
	}
	img, err := r.fetch(ctx, ref, platform, held, opts)
	if policy == messages.PullNewer && held != nil && errdefs.IsUnavailable(err) {
		r.log.Warn("the registry cannot be reached, the image that is here is used", "image", ref.name, "error", err)
		return held, nil
	}
	return img, err
}

// held is the image in the store, whole and for the platform.
func (r *Runtime) held(ctx context.Context, ref imageRef, platform ocispec.Platform) (*image, error) {
	found, err := r.client.ImageService().Get(ctx, ref.name)
	if err != nil {
		return nil, native(err)
	}
	return r.loadImage(ctx, found.Target, platform)
}

// fetch asks the registry what the reference names and gets what is missing.
func (r *Runtime) fetch(ctx context.Context, ref imageRef, platform ocispec.Platform, held *image, opts runtime.PullOptions) (*image, error) {
	resolver, err := r.resolver(ctx, ref, opts.Auth)
	if err != nil {
		return nil, err
	}
	if held != nil {
		_, target, err := resolver.Resolve(ctx, ref.name)
		if err != nil {
			return nil, registryError(ref.name, ref.host, err)
		}
		if target.Digest == held.target.Digest {
			return held, nil
		}
	}
	progress := newProgress(opts.Progress)
	var pulled client.Image
	err = r.leased(ctx, "pull "+ref.name+" "+platforms.Format(platform), func(ctx context.Context) (err error) {
		pulled, err = r.client.Pull(ctx, ref.name,
			client.WithResolver(progress.resolver(resolver)),
			client.WithPlatformMatcher(platforms.Only(platform)),
			client.WithPullSnapshotter(r.cfg.Snapshotter),
			client.WithPullUnpack,
			// A container may have kept a layer's snapshot when its content went with
			// the image.
			client.WithUnpackOpts([]client.UnpackOpt{client.WithUnpackFetchAllContent()}),
			client.WithImageHandlerWrapper(progress.handler),
		)
		return err
	})
	if errdefs.IsNotFound(err) {
		if verdict := r.otherPlatforms(ctx, resolver, ref, platform); verdict != nil {
			return nil, verdict
		}
	}
	if err != nil {
		return nil, registryError(ref.name, ref.host, err)
	}
	img, err := r.loadImage(ctx, pulled.Target(), platform)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", ref.name, err)
	}
	return img, nil
}

// unpack makes the snapshots of an image whose content is here, under the lease
// in ctx if there is one.
func (r *Runtime) unpack(ctx context.Context, img *image) error {
	match := platforms.Only(ocispec.Platform{OS: string(img.platform.OS), Architecture: img.platform.Arch})
	i := client.NewImageWithPlatform(r.client, images.Image{Name: img.target.Digest.String(), Target: img.target}, match)
	if err := i.Unpack(r.scope(ctx), r.cfg.Snapshotter); err != nil {
		return fmt.Errorf("unpack %s: %w", img.target.Digest, native(err))
	}
	return nil
}
