//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/errdefs"
)

// inode is a file that has several names.
type inode struct{ dev, ino uint64 }

// sizeOf is the sum of the sizes of a directory's files. What goes away
// meanwhile does not count.
func sizeOf(ctx context.Context, dir string) (int64, error) {
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
		if key, ok := linked(info); ok {
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
