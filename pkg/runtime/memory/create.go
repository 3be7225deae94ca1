package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Create makes a container from an image that was pulled. The spec becomes the
// machine's: what it points to must not be changed afterwards.
func (r *Runtime) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	unlock, err := r.enter(ctx, "create "+id.String())
	if err != nil {
		return err
	}
	defer unlock()
	if err := checkCreate(id, spec); err != nil {
		return err
	}
	if _, ok := r.m.containers[id]; ok {
		return fmt.Errorf("create %s: a container of that id is there: %w", id, errdefs.ErrAlreadyExists)
	}
	ref, err := normalize(spec.Image)
	if err != nil {
		return fmt.Errorf("create %s: %w", id, err)
	}
	image, platform, err := r.m.choose(id, ref, spec, opts.Platform)
	if err != nil {
		return err
	}
	prog, _ := programFor(argv(spec, image))
	r.m.containers[id] = &container{
		id:        id,
		owner:     opts.Owner,
		spec:      *spec,
		image:     image,
		imageRef:  ref,
		platform:  platform,
		program:   prog,
		createdAt: time.Now(),
		execs:     map[*process]struct{}{},
		log:       journal{limit: r.m.cfg.LogBytes},
	}
	return nil
}

func checkCreate(id runtime.ContainerID, spec *messages.Spec) error {
	if err := messages.CheckToken("service", id.Service); err != nil {
		return fmt.Errorf("create %s: %w: %w", id, err, errdefs.ErrInvalidArgument)
	}
	if err := runtime.CheckSpec(spec); err != nil {
		return fmt.Errorf("create %s: %w", id, err)
	}
	return nil
}

// argv is what runs, by OCI's rules: an entrypoint in the spec replaces the
// image's, and drops its command as well.
func argv(spec *messages.Spec, image Image) []string {
	switch {
	case len(spec.Entrypoint) > 0:
		return slices.Concat(spec.Entrypoint, spec.Args)
	case len(spec.Args) > 0:
		return slices.Concat(image.Entrypoint, spec.Args)
	}
	return slices.Concat(image.Entrypoint, image.Cmd)
}

// choose finds the image to make a container from, and the machine's platform
// that it runs on. What the spec says and what the caller says must both be
// something the machine has.
func (m *Machine) choose(id runtime.ContainerID, ref string, spec *messages.Spec, asked messages.Platform) (Image, messages.Platform, error) {
	var none messages.Platform
	wants := []messages.Platform{asked}
	if spec.Platform != nil {
		wants = append(wants, *spec.Platform)
	}
	for _, want := range wants {
		if err := refuse(id.Service, spec.Image, m.cfg.Platforms, want); err != nil {
			return Image{}, none, err
		}
	}
	held, ok := m.images[ref]
	if !ok {
		return Image{}, none, fmt.Errorf("create %s: image %s is not on this node; pull it first: %w", id, spec.Image, errdefs.ErrNotFound)
	}
	for _, offer := range m.cfg.Platforms {
		for _, image := range held.images {
			fits := func(want messages.Platform) bool { return serves(want, image.Platform) && serves(offer, want) }
			if serves(offer, image.Platform) && !slices.ContainsFunc(wants, func(p messages.Platform) bool { return !fits(p) }) {
				return image, filled(image.Platform, offer), nil
			}
		}
	}
	made := held.platforms()
	for _, platform := range made {
		if refuse(id.Service, spec.Image, m.cfg.Platforms, platform) == nil {
			return Image{}, none, fmt.Errorf("create %s: image %s is on this node only for %s; pull it for what is wanted: %w",
				id, spec.Image, list(made), errdefs.ErrNotFound)
		}
	}
	err := refuse(id.Service, spec.Image, m.cfg.Platforms, made[0])
	return Image{}, none, err
}

// filled is what the image says of its platform, completed by the machine's.
func filled(image, offer messages.Platform) messages.Platform {
	return messages.Platform{
		OS:        cmp.Or(image.OS, offer.OS),
		Arch:      cmp.Or(image.Arch, offer.Arch),
		OSVersion: cmp.Or(image.OSVersion, offer.OSVersion),
	}
}
