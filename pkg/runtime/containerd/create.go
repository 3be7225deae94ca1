//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/containerd/typeurl/v2"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Create makes the container's record, its file system, its log and those of
// its volumes that are not there. The record
// comes first: it is what containerd keeps unique, and what keeps the file
// system from containerd's garbage collection, so no lease is needed.
func (r *Runtime) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	if err := runtime.CheckSpec(spec); err != nil {
		return fmt.Errorf("container %s: %w", id, err)
	}
	if err := supported(spec); err != nil {
		return fmt.Errorf("container %s: %w", id, err)
	}
	if err := r.checkNetwork(spec); err != nil {
		return fmt.Errorf("container %s: %w", id, err)
	}
	wants := []messages.Platform{opts.Platform}
	if spec.Platform != nil {
		wants = append(wants, *spec.Platform)
	}
	platform, refused, ok := r.choose(wants...)
	if !ok {
		return r.route(id.Service, "spec.platform", refused)
	}
	cid := containerID(id)
	unlock, err := r.locks.lock(ctx, cid)
	if err != nil {
		return about(id, err)
	}
	defer unlock()
	if err := r.bringVolumes(ctx, cid, spec, opts); err != nil {
		return about(id, err)
	}
	r.inUse.RLock()
	defer r.inUse.RUnlock()
	img, err := r.imageFor(ctx, id, spec.Image, platform)
	if err != nil {
		return err
	}
	rec, err := r.newRecord(ctx, id, spec, opts.Owner, img)
	if err != nil {
		return fmt.Errorf("container %s: %w", id, err)
	}
	return about(id, r.makeContainer(ctx, rec, img, spec))
}

// imageFor is the image of a new container. One that is there for other
// platforms only is a verdict; one that is not there is NotFound.
func (r *Runtime) imageFor(ctx context.Context, id runtime.ContainerID, name string, platform ocispec.Platform) (*image, error) {
	ref, err := parseRef("spec.image", name)
	if err != nil {
		return nil, fmt.Errorf("container %s: %w", id, err)
	}
	found, err := r.client.ImageService().Get(ctx, ref.name)
	if err != nil {
		return nil, about(id, fmt.Errorf("image %s: %w", ref.name, native(err)))
	}
	img, err := r.loadImage(ctx, found.Target, platform)
	if errdefs.IsNotFound(err) {
		if has, perr := r.platformsOf(ctx, found.Target); perr == nil && !anyMatch(has, platform) {
			return nil, r.route(id.Service, "image "+ref.name, has...)
		}
	}
	if err != nil {
		return nil, about(id, fmt.Errorf("image %s: %w", ref.name, err))
	}
	return img, nil
}

func anyMatch(has []messages.Platform, want ocispec.Platform) bool {
	match := platforms.Only(want)
	for _, p := range has {
		if match.Match(platforms.Normalize(ocispec.Platform{OS: string(p.OS), Architecture: p.Arch, OSVersion: p.OSVersion})) {
			return true
		}
	}
	return false
}

// newRecord is the container as containerd will know it.
func (r *Runtime) newRecord(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, owner runtime.Owner, img *image) (containers.Container, error) {
	cid := containerID(id)
	oci, err := r.ociSpec(ctx, id, spec, img)
	if err != nil {
		return containers.Container{}, err
	}
	ociAny, err := typeurl.MarshalAny(oci)
	if err != nil {
		return containers.Container{}, fmt.Errorf("spec: %w", err)
	}
	shim, err := r.shimFor(spec)
	if err != nil {
		return containers.Container{}, err
	}
	kept, err := storeSpec(spec)
	if err != nil {
		return containers.Container{}, err
	}
	ref, err := parseRef("spec.image", spec.Image)
	if err != nil {
		return containers.Container{}, err
	}
	return containers.Container{
		ID:          cid,
		Labels:      labelsFor(id, owner, img),
		Image:       ref.name,
		Runtime:     shim,
		Spec:        ociAny,
		Snapshotter: r.cfg.Snapshotter,
		SnapshotKey: cid,
		Extensions:  map[string]typeurl.Any{specExtension: kept},
	}, nil
}

// makeContainer makes all of the container, or nothing. The calls, each of some
// milliseconds, are not cut off by the caller at once: whether one that was cut
// off had its effect could not be known. Those that a restart of containerd cut
// off are made again.
func (r *Runtime) makeContainer(ctx context.Context, rec containers.Container, img *image, spec *messages.Spec) (err error) {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	caller := ctx
	ctx, cancel := cleanup(r.scope(caller))
	defer cancel()
	defer func() { err = givenUp(caller, err) }()
	if err := r.claim(ctx, rec); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.unmake(ctx, rec.ID))
		}
	}()
	if err := r.insist(ctx, func() error { return r.prepareRoot(ctx, rec, img) }); err != nil {
		return fmt.Errorf("file system: %w", err)
	}
	if err := r.logs.create(rec.ID, spec.TTY); err != nil {
		return err
	}
	if err := r.makeVolumes(ctx, rec, mountsOf(spec, img.config)); err != nil {
		return err
	}
	return caller.Err()
}

// prepareRoot makes the container's file system. An image that is in the store
// and was never unpacked, since somebody else put it there, is unpacked now.
func (r *Runtime) prepareRoot(ctx context.Context, rec containers.Container, img *image) error {
	_, err := r.snapshots.Prepare(ctx, rec.SnapshotKey, img.chain)
	if errdefs.IsAlreadyExists(err) {
		// Of a container whose record somebody else removed.
		if err = r.snapshots.Remove(ctx, rec.SnapshotKey); err == nil {
			_, err = r.snapshots.Prepare(ctx, rec.SnapshotKey, img.chain)
		}
	}
	if errdefs.IsNotFound(err) {
		if err = r.unpack(ctx, img); err == nil {
			_, err = r.snapshots.Prepare(ctx, rec.SnapshotKey, img.chain)
		}
	}
	return err
}
