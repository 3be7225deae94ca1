package containerd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// openBind opens the source of a bind mount and follows no link on the way. The
// node's policy was asked about the path as it is written, so it has to be what
// it says: a link that a container has made in a directory it may write to must
// not lead another one out of it.
func openBind(i int, source string) (*os.File, error) {
	wrong := func(why string) error {
		return fmt.Errorf("spec.mounts[%d].source: %q %s: %w", i, source, why, errdefs.ErrInvalidArgument)
	}
	f, link, err := openWithoutLinks(source)
	switch {
	case link != "":
		return nil, wrong(fmt.Sprintf("leads through %s, which is a link; give the path it stands for", link))
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return nil, wrong("is not on this node; make it first, or use a volume")
	case err != nil:
		return nil, fmt.Errorf("spec.mounts[%d].source: %w", i, err)
	}
	return f, nil
}

// openWithoutLinks opens what an absolute path names, as a place and not for
// reading. link is the first link on the way, if there is one.
func openWithoutLinks(name string) (f *os.File, link string, err error) {
	const flags = unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Open("/", flags, 0)
	if err != nil {
		return nil, "", err
	}
	f = os.NewFile(uintptr(fd), "/")
	for part := range strings.SplitSeq(strings.Trim(path.Clean(name), "/"), "/") {
		if part == "" {
			break // the root itself
		}
		next, err := unix.Openat(int(f.Fd()), part, flags, 0)
		so := path.Join(f.Name(), part)
		f.Close()
		if err != nil {
			return nil, "", &fs.PathError{Op: "open", Path: so, Err: err}
		}
		f = os.NewFile(uintptr(next), so)
		info, err := f.Stat()
		if err == nil && info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		f.Close()
		if err != nil {
			return nil, "", err
		}
		return nil, so, nil
	}
	return f, "", nil
}

// pinBinds opens the sources of the container's bind mounts again and mounts what
// was opened where runc is told to look (bindPlace): between a look at a path and
// runc's own use of it a link could have been put there. The mounts are needed
// until the task is made, which has its own by then.
func (r *Runtime) pinBinds(cid string, spec *messages.Spec) (unpin func(), err error) {
	var places []string
	unpin = func() {
		for _, place := range places {
			if err := unmountBind(place); err != nil {
				r.log.Warn("a mount made for a start is left", "place", place, "error", err)
			}
		}
	}
	for i, m := range spec.Mounts {
		if m.Type != messages.MountBind {
			continue
		}
		place := r.bindPlace(cid, i)
		if err := mountBind(i, m.Source, place); err != nil {
			unpin()
			return nil, err
		}
		places = append(places, place)
	}
	return unpin, nil
}

// bindPlace is where runc finds the source of the container's i-th mount.
func (r *Runtime) bindPlace(cid string, i int) string {
	return filepath.Join(r.cfg.StateDir, "binds", fmt.Sprintf("%s.%d", cid, i))
}

// mountBind mounts a source at place, which is made a file or a directory as the
// source is one.
func mountBind(i int, source, place string) (err error) {
	f, err := openBind(i, source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := unmountBind(place); err != nil {
		return err
	}
	if info.IsDir() {
		err = os.Mkdir(place, 0o700)
	} else {
		err = os.WriteFile(place, nil, 0o600)
	}
	if err != nil {
		return err
	}
	opened := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if err := unix.Mount(opened, place, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return errors.Join(fmt.Errorf("mount %s: %w", source, err), os.Remove(place))
	}
	return nil
}

// unmountBind takes a place away, and never what is mounted there.
func unmountBind(place string) error {
	err := unix.Unmount(place, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil && !errors.Is(err, unix.EINVAL) { // nothing is mounted there
		return fmt.Errorf("unmount %s: %w", place, err)
	}
	return os.Remove(place) // a directory that is not empty stays
}

// sweepBinds takes away what a worker that was killed left.
func (r *Runtime) sweepBinds() error {
	dir := filepath.Join(r.cfg.StateDir, "binds")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range left {
		errs = append(errs, unmountBind(filepath.Join(dir, d.Name())))
	}
	return errors.Join(errs...)
}
