package runhcs

import (
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Each field that a Windows container cannot have is refused by its name.
func TestCheckNamesTheField(t *testing.T) {
	for field, spec := range map[string]messages.Spec{
		"spec.groups":            {Groups: []string{"g"}},
		"spec.resources.pids":    {Resources: messages.Resources{PIDs: 1}},
		"spec.resources.cpuset":  {Resources: messages.Resources{CPUSet: "0"}},
		"spec.network":           {Network: "host"},
		"spec.extra_hosts":       {ExtraHosts: map[string]string{"a": "10.0.0.1"}},
		"spec.read_only":         {ReadOnly: true},
		"spec.stdin":             {Stdin: true},
		"spec.no_new_privileges": {NoNewPrivileges: true},
		"spec.cap_add":           {CapAdd: []string{"ALL"}},
		"spec.cap_drop":          {CapDrop: []string{"ALL"}},
		"spec.devices":           {Devices: []string{"/dev/null"}},
		"spec.sysctls":           {Sysctls: map[string]string{"a": "b"}},
		"spec.ulimits":           {Ulimits: map[string]messages.Ulimit{"nofile": {}}},
		"spec.mounts[0].type":    {Mounts: []messages.Mount{{Type: messages.MountTmpfs}}},
		"spec.mounts[0].copy":    {Mounts: []messages.Mount{{Type: messages.MountVolume, Copy: "r/a:1"}}},
	} {
		if err := Check(&spec); !errdefs.IsNotImplemented(err) || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v, want NotImplemented that begins with the field", field, err)
		}
	}
	for _, network := range []string{"", "default", "none"} {
		if err := Check(&messages.Spec{Network: network, Mounts: []messages.Mount{{Type: messages.MountBind, Source: `D:\x`}}}); err != nil {
			t.Errorf("network %q: %v", network, err)
		}
	}
}

func TestCheckDeniesTheNodeItself(t *testing.T) {
	if err := Check(&messages.Spec{Privileged: true}); !errdefs.IsPermissionDenied(err) || !strings.Contains(err.Error(), "spec.privileged") {
		t.Errorf("privileged: %v, want PermissionDenied", err)
	}
	pipe := messages.Spec{Mounts: []messages.Mount{{Type: messages.MountBind, Source: `//./pipe/containerd-containerd`}}}
	if err := Check(&pipe); !errdefs.IsInvalidArgument(err) {
		t.Errorf("the pipe of containerd: %v, want InvalidArgument", err)
	}
}
