package runhcs

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Check refuses, by name, what a spec asks for and a Windows container cannot
// have.
func Check(spec *messages.Spec) error {
	if spec.Privileged {
		return fmt.Errorf("spec.privileged: on Windows that is a HostProcess container, a program on the node itself, which this node denies; leave it out: %w", errdefs.ErrPermissionDenied)
	}
	const linux = "it is Linux' own"
	for _, f := range []struct {
		name  string
		given bool
		why   string
	}{
		{"groups", len(spec.Groups) > 0, "users of Windows have the groups of their account"},
		{"resources.pids", spec.Resources.PIDs != 0, "its processes are not counted"},
		{"resources.cpuset", spec.Resources.CPUSet != "", "processors cannot be named; give cpu_milli"},
		{"network", !networked(spec.Network), "want default or none"},
		{"extra_hosts", len(spec.ExtraHosts) > 0, "it learns names from DNS"},
		{"read_only", spec.ReadOnly, "its file system can be written to"},
		{"stdin", spec.Stdin, "nothing would be at the other end; run the program by exec"},
		{"no_new_privileges", spec.NoNewPrivileges, linux},
		{"cap_add", len(spec.CapAdd) > 0, linux},
		{"cap_drop", len(spec.CapDrop) > 0, linux},
		{"devices", len(spec.Devices) > 0, linux},
		{"sysctls", len(spec.Sysctls) > 0, linux},
		{"ulimits", len(spec.Ulimits) > 0, linux},
	} {
		if f.given {
			return fmt.Errorf("spec.%s: a Windows container cannot have it: %s: %w", f.name, f.why, errdefs.ErrNotImplemented)
		}
	}
	return checkMounts(spec.Mounts)
}

func networked(network string) bool {
	return network == "" || network == messages.NetworkDefault || network == messages.NetworkNone
}

func checkMounts(mounts []messages.Mount) error {
	for i, m := range mounts {
		switch {
		case m.Type == messages.MountTmpfs:
			return fmt.Errorf("spec.mounts[%d].type: Windows has no tmpfs; want bind, volume or anonymous: %w", i, errdefs.ErrNotImplemented)
		case m.Copy != "":
			return fmt.Errorf("spec.mounts[%d].copy: a volume on a Windows node has no copy yet; leave it out: %w", i, errdefs.ErrNotImplemented)
		case m.Type == messages.MountBind && strings.HasPrefix(Path(m.Source), `\\`):
			return fmt.Errorf("spec.mounts[%d].source: %q is a share or a pipe; want a path on a drive of the node, such as C:\\data: %w", i, m.Source, errdefs.ErrInvalidArgument)
		}
	}
	return nil
}
