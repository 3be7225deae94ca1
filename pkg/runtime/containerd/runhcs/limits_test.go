package runhcs

import (
	"testing"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A part of a core is not cut to none, and what is more than the machine is all
// of it.
func TestProcessorMaximum(t *testing.T) {
	for _, c := range []struct {
		milli      int64
		processors int
		want       uint16
	}{
		{500, 8, 625}, {1, 64, 1}, {1, 8, 2}, {999, 1, 9990}, {1000, 1, 10000}, {8000, 8, 10000}, {64000, 8, 10000}, {1 << 62, 8, 10000}, {250, 0, 2500},
	} {
		if got := processorMaximum(c.milli, c.processors); got != c.want {
			t.Errorf("%d thousandths on %d processors: %d, want %d", c.milli, c.processors, got, c.want)
		}
	}
}

func TestProcessLimits(t *testing.T) {
	s := mustSpec(t, Container{Spec: &messages.Spec{Args: []string{"x"}, Resources: messages.Resources{CPUMilli: 1500, Memory: 64 << 20}}, Processors: 4})
	r := s.Windows.Resources
	if r == nil || r.CPU == nil || *r.CPU.Maximum != 3750 || r.CPU.Count != nil || r.CPU.Shares != nil {
		t.Errorf("the limits are %+v, want a maximum of 3750 alone", r)
	}
	if *r.Memory.Limit != 64<<20 {
		t.Errorf("the memory is %d, want 64 MiB in bytes", *r.Memory.Limit)
	}
	for _, name := range []string{annotations.ProcessorCount, annotations.MemorySizeInMB} {
		if v, ok := s.Annotations[name]; ok {
			t.Errorf("%s is %q, and there is no virtual machine", name, v)
		}
	}
	if s := mustSpec(t, Container{Spec: &messages.Spec{Args: []string{"x"}}, Processors: 4}); s.Windows.Resources != nil {
		t.Errorf("without limits there are %+v", s.Windows.Resources)
	}
}

// A virtual machine has whole processors, and its memory is said in MB.
func TestMachineIsAsLargeAsItsContainer(t *testing.T) {
	for _, c := range []struct {
		res        messages.Resources
		cpus, size string
	}{
		{messages.Resources{CPUMilli: 1500, Memory: 2 << 30}, "2", "2048"},
		{messages.Resources{CPUMilli: 100, Memory: 2<<30 + 1}, "1", "2049"},
		{messages.Resources{CPUMilli: 64000, Memory: 256 << 20}, "4", "1024"},
		{messages.Resources{}, "", ""},
	} {
		s := mustSpec(t, Container{Spec: &messages.Spec{Args: []string{"x"}, Isolation: messages.IsolationHyperV, Resources: c.res}, Processors: 4})
		if got := s.Annotations[annotations.ProcessorCount]; got != c.cpus {
			t.Errorf("%+v: %q processors, want %q", c.res, got, c.cpus)
		}
		if got := s.Annotations[annotations.MemorySizeInMB]; got != c.size {
			t.Errorf("%+v: %q MB, want %q", c.res, got, c.size)
		}
	}
}

func TestMemoryBelowWhatTheShimCounts(t *testing.T) {
	_, err := Spec(Container{Spec: &messages.Spec{Args: []string{"x"}, Resources: messages.Resources{Memory: 1<<20 - 1}}, Processors: 1})
	if !errdefs.IsInvalidArgument(err) {
		t.Errorf("%v, want InvalidArgument", err)
	}
}
