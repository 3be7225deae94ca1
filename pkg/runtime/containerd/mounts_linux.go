package containerd

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// mountsOf are the mounts of a container: its spec's, and an anonymous volume
// for each of the image's that the spec does not mount over.
func mountsOf(spec *messages.Spec, img ocispec.ImageConfig) []messages.Mount {
	mounts := slices.Clone(spec.Mounts)
	taken := map[string]bool{}
	for i := range mounts {
		mounts[i].Target = path.Clean(mounts[i].Target)
		taken[mounts[i].Target] = true
	}
	for _, target := range slices.Sorted(maps.Keys(img.Volumes)) {
		if target = path.Clean("/" + target); !taken[target] && target != "/" {
			mounts = append(mounts, messages.Mount{Type: messages.MountAnonymous, Target: target})
		}
	}
	return mounts
}

// setMounts tells runc of the mounts. One that has the place of a default one
// replaces it, and what lies deeper is mounted later.
func (r *Runtime) setMounts(s *specs.Spec, cid string, mounts []messages.Mount) error {
	for i, m := range mounts {
		if m.Target == "/proc" || strings.HasPrefix(m.Target, "/proc/") {
			return fmt.Errorf("spec.mounts[%d].target: %q is the kernel's; want a directory outside of /proc: %w", i, m.Target, errdefs.ErrInvalidArgument)
		}
		if m.Type == messages.MountBind {
			f, err := openBind(i, m.Source)
			if err != nil {
				return err
			}
			f.Close()
		}
		s.Mounts = slices.DeleteFunc(s.Mounts, func(d specs.Mount) bool { return d.Destination == m.Target })
		s.Mounts = append(s.Mounts, r.ociMount(cid, i, m))
	}
	slices.SortStableFunc(s.Mounts, func(a, b specs.Mount) int { return cmp.Compare(depth(a), depth(b)) })
	return nil
}

func depth(m specs.Mount) int { return strings.Count(path.Clean(m.Destination), "/") }

// ociMount is the i-th mount as runc is told of it.
func (r *Runtime) ociMount(cid string, i int, m messages.Mount) specs.Mount {
	out := specs.Mount{Destination: m.Target, Type: "bind", Options: []string{"rbind", "rprivate"}}
	switch m.Type {
	case messages.MountBind:
		out.Source = r.bindPlace(cid, i)
	case messages.MountVolume:
		out.Source = r.volumes.named(m.Source)
	case messages.MountAnonymous:
		out.Source = r.volumes.anonymous(cid, i)
	case messages.MountTmpfs:
		out.Type, out.Source = "tmpfs", "tmpfs"
		out.Options = []string{"nosuid", "nodev", "noexec", "mode=1777"} // Docker's
		if m.Size > 0 {
			out.Options = append(out.Options, fmt.Sprintf("size=%d", m.Size))
		}
	}
	if m.ReadOnly {
		out.Options = readOnly(out)
	}
	return out
}

// prepareMounts does what the mounts of a container need before its task is made;
// undo takes away what is needed no longer once that is done.
func (r *Runtime) prepareMounts(ctx context.Context, rec containers.Container) (undo func(), err error) {
	spec, err := specOf(rec)
	if err != nil {
		return nil, err
	}
	if err := r.useVolumes(ctx, spec); err != nil {
		return nil, err
	}
	return r.pinBinds(rec.ID, spec)
}

// readOnly makes a mount one that cannot be written to. What is mounted below a
// bind's source is read-only with it, or, where the kernel (before 5.12) cannot
// do that, is not seen.
func readOnly(m specs.Mount) []string {
	if m.Type != "bind" {
		return append(m.Options, "ro")
	}
	if hasMountSetattr() {
		return append(m.Options, "rro")
	}
	return []string{"bind", "rprivate", "ro"}
}

var hasMountSetattr = sync.OnceValue(func() bool {
	return unix.MountSetattr(-1, "", 0, &unix.MountAttr{}) != unix.ENOSYS
})
