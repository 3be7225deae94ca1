package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/mount"
	continuity "github.com/containerd/continuity/fs"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"
)

// syncFileSystem makes all that was written to the file system of a directory
// durable.
func syncFileSystem(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// fillFromImage copies what the container's file system has at target. Links
// are followed as the container would, within its root.
func (r *Runtime) fillFromImage(ctx context.Context, rec containers.Container, target, dir string) error {
	mounts, err := r.snapshots.Mounts(ctx, rec.SnapshotKey)
	if err != nil {
		return native(err)
	}
	var copied error // of its own, for the mount's errors speak of the mount
	err = mount.WithReadonlyTempMount(ctx, mounts, func(root string) error {
		copied = copyFrom(root, target, dir)
		return nil
	})
	return errors.Join(copied, err)
}

// copyFrom copies a directory of a file system, if it is there.
func copyFrom(root, target, dir string) error {
	source, err := continuity.RootPath(root, target)
	if err != nil {
		return fmt.Errorf("target: %q in the image: %w", target, err)
	}
	info, err := os.Lstat(source)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("target: %q is no directory in the image, and a volume is one: %w", target, errdefs.ErrInvalidArgument)
	}
	return continuity.CopyDir(dir, source, continuity.WithXAttrExclude("security.selinux"))
}

// linked is the file behind a name, if it has others as well.
func linked(info fs.FileInfo) (inode, bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || s.Nlink < 2 {
		return inode{}, false
	}
	return inode{uint64(s.Dev), s.Ino}, true //nolint:unconvert // the type differs between architectures
}
