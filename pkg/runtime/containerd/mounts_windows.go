package containerd

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/runhcs"
)

// mountsOf are the mounts of a container: its spec's, and an anonymous volume
// for each of the image's that the spec does not mount over.
func mountsOf(spec *messages.Spec, img ocispec.ImageConfig) []messages.Mount {
	mounts := slices.Clone(spec.Mounts)
	taken := map[string]bool{}
	for _, m := range mounts {
		taken[strings.ToLower(runhcs.Path(m.Target))] = true
	}
	for _, target := range slices.Sorted(maps.Keys(img.Volumes)) {
		if !taken[strings.ToLower(runhcs.Path(target))] {
			mounts = append(mounts, messages.Mount{Type: messages.MountAnonymous, Target: target})
		}
	}
	return mounts
}

func (r *Runtime) ociMounts(cid string, mounts []messages.Mount) ([]specs.Mount, error) {
	var out []specs.Mount
	for i, m := range mounts {
		source := m.Source
		switch m.Type {
		case messages.MountBind:
			if err := checkBind(i, source); err != nil {
				return nil, err
			}
		case messages.MountVolume:
			source = r.volumes.named(m.Source)
		case messages.MountAnonymous:
			source = r.volumes.anonymous(cid, i)
		}
		out = append(out, runhcs.Mount(source, m.Target, m.ReadOnly))
	}
	return out, nil
}

// checkBind refuses a source that is not there, and one that leads through a
// link: the node's policy was asked about the path as it is written.
func checkBind(i int, source string) error {
	field := fmt.Sprintf("spec.mounts[%d].source", i)
	if !filepath.IsAbs(source) {
		return fmt.Errorf("%s: %q is not a path on a drive of the node, such as C:\\data: %w", field, source, errdefs.ErrInvalidArgument)
	}
	for at := filepath.Clean(source); at != filepath.Dir(at); at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			return fmt.Errorf("%s: %w: %w", field, err, errdefs.ErrInvalidArgument)
		}
		if !info.Mode().IsRegular() && !info.IsDir() {
			return fmt.Errorf("%s: %q is a link, or no file; want a path that leads through none: %w", field, at, errdefs.ErrInvalidArgument)
		}
	}
	return nil
}

// prepareMounts looks at the sources again, before a start.
func (r *Runtime) prepareMounts(_ context.Context, rec containers.Container) (undo func(), err error) {
	spec, err := specOf(rec)
	if err != nil {
		return nil, err
	}
	for i, m := range spec.Mounts {
		if m.Type != messages.MountBind {
			continue
		}
		if err := checkBind(i, m.Source); err != nil {
			return nil, err
		}
	}
	return func() {}, nil
}

// bringVolumes has nothing to bring: runhcs.Check refuses volumes with a copy.
func (r *Runtime) bringVolumes(context.Context, string, *messages.Spec, runtime.CreateOptions) error {
	return nil
}

// fillFromImage leaves a new volume empty.
func (r *Runtime) fillFromImage(context.Context, containers.Container, string, string) error {
	return nil
}

// syncFileSystem has nothing to do: a volume that is being made is empty.
func syncFileSystem(string) error { return nil }

// linked is not told of a file: each of its names counts.
func linked(fs.FileInfo) (inode, bool) { return inode{}, false }
