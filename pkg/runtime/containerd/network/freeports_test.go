package network

import "testing"

func TestFreePortsAreNotTheKernelsToGiveAway(t *testing.T) {
	for _, c := range []struct{ low, high, first, last int }{
		{32768, 60999, 20000, 32767},
		{49152, 65535, 20000, 32767},
		{20500, 60999, 61000, 65535},
		{1024, 60999, 61000, 65535},
		{30000, 60999, 20000, 29999},
		{1024, 65535, 20000, 65535},
	} {
		if first, last := portsBeside(c.low, c.high); first != c.first || last != c.last {
			t.Errorf("beside %d to %d: %d to %d, want %d to %d", c.low, c.high, first, last, c.first, c.last)
		}
	}
}
