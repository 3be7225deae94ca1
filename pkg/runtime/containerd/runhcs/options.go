package runhcs

import (
	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// HyperV tells whether a container gets a virtual machine of its own. Left open,
// it shares the host's kernel: not every machine has Hyper-V, and which have it
// cannot be told beforehand.
func HyperV(i messages.Isolation) bool { return i == messages.IsolationHyperV }

// Options are what the shim is told beside the container's spec. The two have to
// agree about Hyper-V. How long the shim tries to reach a worker that is away
// with the container's output is left at 0: without end.
func Options(i messages.Isolation) *options.Options {
	if !HyperV(i) {
		return &options.Options{SandboxIsolation: options.Options_PROCESS}
	}
	return &options.Options{
		SandboxIsolation: options.Options_HYPERVISOR,
		// Limits are given as a share of the machine's processors, whatever the
		// virtual machine has.
		ScaleCpuLimitsToSandbox: true,
	}
}
