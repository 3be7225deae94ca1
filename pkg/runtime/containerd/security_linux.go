package containerd

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"

	contribapparmor "github.com/containerd/containerd/v2/contrib/apparmor"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/pkg/apparmor"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// apparmorProfile is the name under which the default profile is loaded.
const apparmorProfile = "shunt-default"

// confinement is which of the default profiles this machine can put containers
// under. It is found out once, when it is first asked for.
type confinement struct {
	seccomp, apparmor bool
	lacks             []string // what it cannot, and why
}

func (r *Runtime) confine() confinement {
	r.confined.Do(func() {
		r.confinement = confinementOf(seccompWorks(r.cfg.RuncPath), apparmor.HostSupports(), contribapparmor.LoadDefaultProfile)
		for _, lack := range r.confinement.lacks {
			r.log.Warn(lack)
		}
	})
	return r.confinement
}

// confinementOf is that of a machine, by why it has no seccomp, if it has none,
// whether it supports AppArmor, and what loads its default profile under a name.
func confinementOf(seccomp error, supportsAppArmor bool, load func(name string) error) (c confinement) {
	c.seccomp = seccomp == nil
	if seccomp != nil {
		c.lacks = append(c.lacks, fmt.Sprintf("containers run without a seccomp filter: %v", seccomp))
	}
	if !supportsAppArmor { // as most machines, and that is no lack
		return c
	}
	err := load(apparmorProfile)
	c.apparmor = err == nil
	if err != nil {
		c.lacks = append(c.lacks, fmt.Sprintf("containers run without an AppArmor profile: %v", err))
	}
	return c
}

// warnings are what containers are without on this machine.
func (r *Runtime) warnings() []string {
	out := slices.Clone(r.confine().lacks)
	if err := r.networks.CanConnect(true); err != nil {
		out = append(out, err.Error())
	}
	return out
}

// seccompWorks asks runc whether it was built with seccomp, and the kernel.
func seccompWorks(runc string) error {
	out, err := exec.Command(firstOf(runc, "runc"), "features").Output()
	if err != nil {
		return fmt.Errorf("runc features: %w", err)
	}
	var has features.Features
	if err := json.Unmarshal(out, &has); err != nil {
		return fmt.Errorf("runc features: %w", err)
	}
	if has.Linux == nil || has.Linux.Seccomp == nil || has.Linux.Seccomp.Enabled == nil || !*has.Linux.Seccomp.Enabled {
		return fmt.Errorf("this runc was built without it; `make tools` builds one with it where libseccomp-dev and pkg-config are installed")
	}
	if _, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("the kernel has none: %w", err)
	}
	return nil
}

// setPrivileged gives the container all that this process has: its capabilities,
// every device, and the kernel's files to write to.
func setPrivileged(ctx context.Context, s *specs.Spec) error {
	err := oci.Compose(oci.WithPrivileged, oci.WithHostDevices, oci.WithAllDevicesAllowed)(ctx, nil, nil, s)
	if err != nil {
		return fmt.Errorf("spec.privileged: %w", err)
	}
	return nil
}

// setProfiles puts a container under the default profiles that there are. That of seccomp
// allows what its capabilities are for, so they are set before.
func (c confinement) setProfiles(s *specs.Spec, spec *messages.Spec) {
	// Off unless asked for, as everywhere: images rely on setuid programs.
	s.Process.NoNewPrivileges = spec.NoNewPrivileges
	if spec.Privileged {
		return
	}
	if c.seccomp {
		s.Linux.Seccomp = seccomp.DefaultProfile(s)
	}
	if c.apparmor {
		s.Process.ApparmorProfile = apparmorProfile
	}
}
