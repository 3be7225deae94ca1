package runhcs

import (
	"fmt"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// AddFigures adds what the shim says a container uses. Its times are in
// nanoseconds. Only their sum is taken: the time in programs alone is wrong in
// some versions of the shim. Memory is what is the container's own and in use,
// as Docker shows it.
func AddFigures(out *messages.Stats, figures any) error {
	s, ok := figures.(*stats.Statistics)
	if !ok || s.GetWindows() == nil {
		return fmt.Errorf("figures of type %T are not those of a Windows container: %w", figures, errdefs.ErrNotImplemented)
	}
	w := s.GetWindows()
	out.CPUUsageUsec = w.GetProcessor().GetTotalRuntimeNS() / 1000
	out.MemoryBytes = w.GetMemory().GetMemoryUsagePrivateWorkingSetBytes()
	out.IO.ReadBytes = w.GetStorage().GetReadSizeBytes()
	out.IO.WriteBytes = w.GetStorage().GetWriteSizeBytes()
	return nil
}

// Program is the name of a process, and the id of its exec; that of the
// container's first process is empty.
func Program(info any) (name, exec string) {
	details, ok := info.(*options.ProcessDetails)
	if !ok {
		return "", ""
	}
	return details.GetImageName(), details.GetExecID()
}
