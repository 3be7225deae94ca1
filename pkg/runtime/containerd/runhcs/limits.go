package runhcs

import (
	"fmt"
	"strconv"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

const (
	milliPerCore = 1000
	wholeMachine = 10_000 // of the shim's processor maximum: all processors
	mebibyte     = 1 << 20

	// vmMemory is what the shim gives a virtual machine of which nothing is said,
	// in MB.
	vmMemory = 1024
)

// setLimits writes the limits of a container on a machine of so many processors.
func setLimits(s *specs.Spec, res messages.Resources, processors int) error {
	limits := &specs.WindowsResources{}
	if res.CPUMilli > 0 {
		share := processorMaximum(res.CPUMilli, processors)
		// Count and shares have to stay away: the three exclude each other.
		limits.CPU = &specs.WindowsCPUResources{Maximum: &share}
	}
	if res.Memory > 0 {
		if res.Memory < mebibyte {
			return fmt.Errorf("spec.resources.memory: %d bytes are too few: the shim counts whole MiB, and would take it for no limit; want at least %d: %w", res.Memory, mebibyte, errdefs.ErrInvalidArgument)
		}
		limit := uint64(res.Memory)
		limits.Memory = &specs.WindowsMemoryResources{Limit: &limit}
	}
	if limits.CPU != nil || limits.Memory != nil {
		s.Windows.Resources = limits
	}
	if s.Windows.HyperV != nil {
		setMachine(s.Annotations, res, processors)
	}
	return nil
}

// processorMaximum is a number of thousandths of a core as the shim wants it:
// ten-thousandths of all the machine's processors, 1 to 10000. It is rounded up,
// so that the smallest share is one, and not none.
func processorMaximum(milli int64, processors int) uint16 {
	all := int64(max(processors, 1)) * milliPerCore
	milli = min(milli, all)
	return uint16((milli*wholeMachine + all - 1) / all)
}

// setMachine sizes the virtual machine around a container, which is to have what
// the container may use: whole processors, rounded up, and memory in MB.
func setMachine(notes map[string]string, res messages.Resources, processors int) {
	if res.CPUMilli > 0 {
		all := int64(max(processors, 1))
		whole := (min(res.CPUMilli, all*milliPerCore) + milliPerCore - 1) / milliPerCore
		notes[annotations.ProcessorCount] = strconv.FormatInt(whole, 10)
	}
	if res.Memory > 0 {
		whole := (res.Memory-1)/mebibyte + 1
		notes[annotations.MemorySizeInMB] = strconv.FormatInt(max(whole, vmMemory), 10)
	}
}
