package runhcs

import (
	"testing"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/stats"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestFiguresHaveTheirUnits(t *testing.T) {
	var out messages.Stats
	err := AddFigures(&out, &stats.Statistics{Container: &stats.Statistics_Windows{Windows: &stats.WindowsContainerStatistics{
		Processor: &stats.WindowsContainerProcessorStatistics{TotalRuntimeNS: 1_500_000_000, RuntimeUserNS: 7, RuntimeKernelNS: 9},
		Memory:    &stats.WindowsContainerMemoryStatistics{MemoryUsageCommitBytes: 5, MemoryUsageCommitPeakBytes: 6, MemoryUsagePrivateWorkingSetBytes: 4096},
		Storage:   &stats.WindowsContainerStorageStatistics{ReadSizeBytes: 11, WriteSizeBytes: 12, ReadCountNormalized: 1, WriteCountNormalized: 2},
	}}})
	want := messages.Stats{CPUUsageUsec: 1_500_000, MemoryBytes: 4096, IO: messages.IOStats{ReadBytes: 11, WriteBytes: 12}}
	if err != nil || out != want {
		t.Errorf("%+v, %v; want %+v", out, err, want)
	}
	for name, other := range map[string]any{"of a virtual machine alone": &stats.Statistics{}, "of something else": 1} {
		if err := AddFigures(&out, other); !errdefs.IsNotImplemented(err) {
			t.Errorf("figures %s: %v, want NotImplemented", name, err)
		}
	}
}

func TestProgramOfAProcess(t *testing.T) {
	if name, exec := Program(&options.ProcessDetails{ImageName: "cmd.exe", ExecID: "e"}); name != "cmd.exe" || exec != "e" {
		t.Errorf("%q, %q", name, exec)
	}
	if name, exec := Program("nothing of the shim's"); name != "" || exec != "" {
		t.Errorf("%q, %q of nothing", name, exec)
	}
}
