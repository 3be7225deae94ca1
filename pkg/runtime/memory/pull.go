package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Pull asks the machine's ImageSource for the image. Without a platform in opts
// the machine's own are tried in their order.
func (r *Runtime) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	full, err := normalize(ref)
	if err != nil {
		return runtime.ImageInfo{}, err
	}
	policy := opts.Policy.Or(messages.PullIfNotPresent)
	wants := []messages.Platform{opts.Platform}
	if opts.Platform == (messages.Platform{}) {
		wants = r.m.cfg.Platforms
	}
	info, present, err := r.present(ctx, full, wants)
	switch {
	case err != nil:
		return runtime.ImageInfo{}, err
	case policy == messages.PullNever && !present:
		return runtime.ImageInfo{}, fmt.Errorf("pull %s: it is not on this node, and the policy is never: %w", ref, errdefs.ErrNotFound)
	case policy == messages.PullNever, policy == messages.PullIfNotPresent && present:
		return info, nil
	case policy != messages.PullIfNotPresent && policy != messages.PullNewer && policy != messages.PullAlways:
		return runtime.ImageInfo{}, fmt.Errorf("pull %s: policy %q is not known; want always, newer, if_not_present or never: %w",
			ref, policy, errdefs.ErrInvalidArgument)
	}
	image, err := r.fetch(ctx, ref, wants, policy, opts.Auth)
	if err != nil {
		return runtime.ImageInfo{}, err
	}
	unlock, err := r.enter(ctx, "pull "+ref)
	if err != nil {
		return runtime.ImageInfo{}, err
	}
	defer unlock()
	now := r.m.images[full].with(image)
	r.m.images[full] = now
	if opts.Progress != nil {
		opts.Progress(runtime.PullProgress{Bytes: image.Size, BytesDone: image.Size})
	}
	return now.info(full), nil
}

// present tells whether the image is held for one of the platforms.
func (r *Runtime) present(ctx context.Context, full string, wants []messages.Platform) (runtime.ImageInfo, bool, error) {
	unlock, err := r.enter(ctx, "pull "+full)
	if err != nil {
		return runtime.ImageInfo{}, false, err
	}
	defer unlock()
	h, ok := r.m.images[full]
	if !ok || !slices.ContainsFunc(wants, h.serves) {
		return runtime.ImageInfo{}, false, nil
	}
	return h.info(full), true, nil
}

// fetch asks the source for the first platform that there is.
func (r *Runtime) fetch(ctx context.Context, ref string, wants []messages.Platform, policy messages.PullPolicy, auth *messages.RegistryAuth) (Image, error) {
	var missing error
	for _, want := range wants {
		image, err := r.m.cfg.Images.Image(ctx, ref, want, policy, auth)
		switch {
		case err == nil:
			return image, nil
		case !errdefs.IsNotFound(err):
			return Image{}, fmt.Errorf("pull: %w", err)
		case missing == nil:
			missing = err
		}
	}
	return Image{}, fmt.Errorf("pull: %w", missing)
}
