package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// SyncVolumes makes what was written to the container's named volumes durable:
// when it returns, all that was written before the call is on the disk, for the
// whole file system that holds them was flushed, or the error says that it was
// not. Bytes are the sizes of a volume's files, each once.
func (r *Runtime) SyncVolumes(ctx context.Context, id runtime.ContainerID) ([]messages.VolumeBytes, error) {
	rec, err := r.records.Get(ctx, containerID(id))
	if err != nil {
		return nil, about(id, err)
	}
	spec, err := specOf(rec)
	if err != nil {
		return nil, about(id, err)
	}
	var volumes []messages.VolumeBytes
	seen := map[string]bool{}
	for _, m := range spec.Mounts {
		if m.Type != messages.MountVolume || seen[m.Source] {
			continue
		}
		seen[m.Source] = true
		if err := syncFileSystem(r.volumes.named(m.Source)); err != nil {
			return nil, about(id, err)
		}
		bytes, err := sizeOf(ctx, r.volumes.named(m.Source))
		if err != nil {
			return nil, about(id, err)
		}
		volumes = append(volumes, messages.VolumeBytes{Name: m.Source, Bytes: bytes})
	}
	return volumes, nil
}

// sizeOf is the sum of the sizes of a directory's files. What goes away
// meanwhile does not count.
func sizeOf(ctx context.Context, dir string) (int64, error) {
	type inode struct{ dev, ino uint64 }
	seen := map[inode]bool{}
	var total int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // it is gone
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink > 1 {
			key := inode{uint64(s.Dev), s.Ino} //nolint:unconvert // the type differs between architectures
			if seen[key] {
				return nil
			}
			seen[key] = true
		}
		total += info.Size()
		return nil
	})
	return total, err
}

// sweepVolumes removes the anonymous volumes of containers that are no more.
// Nobody can mount them again.
func (r *Runtime) sweepVolumes(ctx context.Context) error {
	left, err := os.ReadDir(filepath.Join(r.volumes.dir, "anonymous"))
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range left {
		errs = append(errs, r.sweepVolumesOf(ctx, d.Name()))
	}
	return errors.Join(errs...)
}

func (r *Runtime) sweepVolumesOf(ctx context.Context, cid string) error {
	unlock, err := r.locks.lock(ctx, cid)
	if err != nil {
		return err
	}
	defer unlock()
	_, err = r.records.Get(ctx, cid)
	if err = native(err); !errdefs.IsNotFound(err) {
		return err
	}
	return r.removeAnonymous(cid)
}

// removeAnonymous takes a container's anonymous volumes away.
func (r *Runtime) removeAnonymous(cid string) error {
	if err := os.RemoveAll(r.volumes.anonymousOf(cid)); err != nil {
		return fmt.Errorf("anonymous volumes: %w", err)
	}
	return nil
}
