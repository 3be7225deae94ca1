//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/containerd/containerd/v2/core/containers"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// volumeStore keeps volumes as directories below the state directory. A volume
// is made whole, in a place of its own, and then moved to where it belongs, so
// it is there with all that it begins with, or not at all.
//
//	named/<name>/data        what containers mount
//	anonymous/<id>/<n>       of a container, by the number of the mount
//	making/                  unfinished; emptied by Tend
type volumeStore struct {
	dir   string
	locks *keyedMutex // by a named volume's name
}

func newVolumeStore(cfg Config) volumeStore {
	return volumeStore{dir: filepath.Join(cfg.StateDir, "volumes"), locks: &keyedMutex{}}
}

func (v volumeStore) named(name string) string { return filepath.Join(v.dir, "named", name, "data") }

func (v volumeStore) anonymous(cid string, n int) string {
	return filepath.Join(v.anonymousOf(cid), strconv.Itoa(n))
}

func (v volumeStore) anonymousOf(cid string) string { return filepath.Join(v.dir, "anonymous", cid) }

// open makes the directories.
func (v volumeStore) open() error {
	for _, dir := range []string{"named", "anonymous", "making"} {
		if err := os.MkdirAll(filepath.Join(v.dir, dir), 0o700); err != nil {
			return fmt.Errorf("containerd: %w", err)
		}
	}
	return nil
}

// sweep forgets what was being made.
func (v volumeStore) sweep() error {
	making := filepath.Join(v.dir, "making")
	if err := os.RemoveAll(making); err != nil {
		return fmt.Errorf("containerd: %w", err)
	}
	if err := os.Mkdir(making, 0o700); err != nil {
		return fmt.Errorf("containerd: %w", err)
	}
	return nil
}

// make makes the volume at place with what fill puts into it, unless it is
// there. fill may change the directory's owner and mode.
func (v volumeStore) make(place string, fill func(dir string) error) (err error) {
	if _, err := os.Lstat(place); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	staged, err := os.MkdirTemp(filepath.Join(v.dir, "making"), "")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(staged))
		}
	}()
	if err := os.Chmod(staged, 0o755); err != nil {
		return err
	}
	if err := fill(staged); err != nil {
		return err
	}
	if err := syncFileSystem(staged); err != nil { // before it can be taken for whole
		return err
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return err
	}
	return os.Rename(staged, place)
}

// makeVolumes makes those of the container's volumes that are not there yet.
// One that lies over a directory of the image begins with its content, owner and
// mode.
func (r *Runtime) makeVolumes(ctx context.Context, rec containers.Container, mounts []messages.Mount) error {
	if err := os.RemoveAll(r.volumes.anonymousOf(rec.ID)); err != nil { // of one of that name that was removed
		return err
	}
	for i, m := range mounts {
		if err := r.makeVolume(ctx, rec, i, m); err != nil {
			return fmt.Errorf("spec.mounts[%d]: %w", i, err)
		}
	}
	return nil
}

func (r *Runtime) makeVolume(ctx context.Context, rec containers.Container, i int, m messages.Mount) error {
	fill := func(dir string) error { return r.fillFromImage(ctx, rec, m.Target, dir) }
	switch m.Type {
	case messages.MountAnonymous:
		return r.volumes.make(r.volumes.anonymous(rec.ID, i), fill)
	case messages.MountVolume:
		unlock, err := r.volumes.locks.lock(ctx, m.Source)
		if err != nil {
			return err
		}
		defer unlock()
		return r.volumes.make(r.volumes.named(m.Source), fill)
	}
	return nil
}
