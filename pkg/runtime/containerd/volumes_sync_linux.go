package containerd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// SyncVolumes makes what was written to the container's named volumes durable:
// when it returns, all that was written before the call is on the disk, for the
// whole file system that holds them was flushed, or the error says that it was
// not. Then it gives the copies back. What a running container writes meanwhile
// may be in a copy, or half of it. Bytes are the sizes of a volume's files, each
// once.
func (r *Runtime) SyncVolumes(ctx context.Context, id runtime.ContainerID, opts runtime.SyncOptions) ([]messages.VolumeBytes, error) {
	rec, task, err := r.look(ctx, id)
	if err != nil {
		return nil, err
	}
	spec, err := specOf(rec)
	if err != nil {
		return nil, about(id, err)
	}
	mounts := namedVolumes(spec)
	if opts.Copy != "" && len(mounts) != 1 {
		return nil, fmt.Errorf("container %s: copy: it has %d named volumes, and a copy is of one; give the mounts copies of their own: %w", id, len(mounts), errdefs.ErrInvalidArgument)
	}
	_, owner, _ := identityOf(rec.Labels)
	var volumes []messages.VolumeBytes
	var errs []error
	for _, m := range mounts {
		out, err := r.syncVolume(ctx, m)
		if err != nil {
			return nil, about(id, err)
		}
		if err := r.copyVolume(ctx, &out, spec, m, owner, pidOf(task) != 0, opts); err != nil {
			out.Reason = messages.TruncateReason(err.Error())
			errs = append(errs, err)
		}
		volumes = append(volumes, out)
	}
	return volumes, about(id, errors.Join(errs...))
}

// namedVolumes are the mounts of a spec's named volumes, each volume once: the
// one that may write, if there is one.
func namedVolumes(spec *messages.Spec) []messages.Mount {
	var out []messages.Mount
	for _, m := range spec.Mounts {
		if m.Type != messages.MountVolume {
			continue
		}
		i := slices.IndexFunc(out, func(o messages.Mount) bool { return o.Source == m.Source })
		switch {
		case i < 0:
			out = append(out, m)
		case out[i].ReadOnly:
			out[i] = m
		}
	}
	return out
}

func (r *Runtime) syncVolume(ctx context.Context, m messages.Mount) (messages.VolumeBytes, error) {
	if err := syncFileSystem(r.volumes.named(m.Source)); err != nil {
		return messages.VolumeBytes{}, err
	}
	bytes, err := sizeOf(ctx, r.volumes.named(m.Source))
	return messages.VolumeBytes{Name: m.Source, Bytes: bytes}, err
}

// copyVolume copies a volume where its mount says, and where the caller does.
func (r *Runtime) copyVolume(ctx context.Context, out *messages.VolumeBytes, spec *messages.Spec, m messages.Mount, owner runtime.Owner, runs bool, opts runtime.SyncOptions) error {
	for _, to := range []struct {
		ref, field string
		put        func(context.Context, *copyPlace) (digest.Digest, error)
	}{
		{m.Copy, "spec.mounts.copy", func(ctx context.Context, p *copyPlace) (digest.Digest, error) {
			return r.giveCopy(ctx, p, m.Source, owner, runs)
		}},
		{opts.Copy, "copy", func(ctx context.Context, p *copyPlace) (digest.Digest, error) {
			return r.backUp(ctx, p, m.Source, owner)
		}},
	} {
		if to.ref == "" || m.ReadOnly && to.ref == m.Copy || out.Copy == to.ref {
			continue
		}
		out.Copy = to.ref
		place, err := r.placeOf(ctx, to.field, to.ref, spec.Image, opts.Auth)
		if err != nil {
			return err
		}
		made, err := to.put(ctx, place)
		if err != nil {
			return err
		}
		out.Digest = made.String()
	}
	return nil
}
