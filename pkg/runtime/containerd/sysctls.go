package containerd

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// ipcSysctls are the parameters that each IPC namespace has its own of.
var ipcSysctls = []string{
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
	"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
}

// checkSysctls refuses kernel parameters that are not the container's alone.
func checkSysctls(spec *messages.Spec) error {
	for _, name := range slices.Sorted(maps.Keys(spec.Sysctls)) {
		if why := notOwnSysctl(strings.ReplaceAll(name, "/", "."), spec.Network); why != "" {
			return fmt.Errorf("spec.sysctls.%s: %s: %w", name, why, errdefs.ErrInvalidArgument)
		}
	}
	return nil
}

// notOwnSysctl is why a container may not set a parameter; "" when it may.
func notOwnSysctl(name, network string) string {
	switch {
	case strings.HasPrefix(name, "net.") && network == messages.NetworkHost:
		return "on network host it would change the machine; leave it out, or ask for network default"
	case strings.HasPrefix(name, "net.") && strings.HasPrefix(network, messages.NetworkContainer):
		return "it would change the network of " + network + "; set it there"
	case strings.HasPrefix(name, "net."), strings.HasPrefix(name, "fs.mqueue."), slices.Contains(ipcSysctls, name):
		return ""
	case name == "kernel.hostname":
		return "a container's name is spec.hostname"
	}
	return "it would change the machine, not the container alone; want one of net.*, fs.mqueue.*, kernel.msg*, kernel.shm* and kernel.sem"
}
