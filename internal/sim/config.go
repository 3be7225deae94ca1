package sim

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
)

// Fault is a kind of thing that goes wrong.
type Fault string

// The faults.
const (
	Crash     Fault = "crash"     // a process dies at a call of a port, and is started again
	Restart   Fault = "restart"   // a process is stopped in good order, and started again
	Loss      Fault = "loss"      // a message, request or answer is lost
	Duplicate Fault = "duplicate" // a message or request comes twice, the second time late
	Delay     Fault = "delay"     // messages take a while, overtake each other, or come too late
	Unknown   Fault = "unknown"   // an operation on a stream or bucket is not answered: done, not done, or done later
	Partition Fault = "partition" // a process is cut off, in one direction or both, or disconnected
	Bus       Fault = "bus"       // the bus is restarted
	Suspend   Fault = "suspend"   // a process stands still for a while, and its containers go on
	Skew      Fault = "skew"      // wall clocks are apart
	Power     Fault = "power"     // a machine goes down with its containers, and comes up again
	Runtime   Fault = "runtime"   // a container runtime is away for a while
)

// AllFaults lists every fault.
func AllFaults() []Fault {
	return []Fault{Crash, Restart, Loss, Duplicate, Delay, Unknown, Partition, Bus, Suspend, Skew, Power, Runtime}
}

// Faults is a set of them.
type Faults map[Fault]bool

// ParseFaults reads a list such as "crash,loss", "all" or "none".
func ParseFaults(list string) (Faults, error) {
	f := Faults{}
	switch list {
	case "none":
		return f, nil
	case "all":
		for _, name := range AllFaults() {
			f[name] = true
		}
		return f, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(AllFaults(), Fault(name)) {
			return nil, fmt.Errorf("faults: %q is not one of them; want all, none, or a list of %v", name, AllFaults())
		}
		f[Fault(name)] = true
	}
	return f, nil
}

// String is the list that ParseFaults reads.
func (f Faults) String() string {
	switch len(f) {
	case 0:
		return "none"
	case len(AllFaults()):
		return "all"
	}
	names := make([]string, 0, len(f))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		names = append(names, string(name))
	}
	return strings.Join(names, ",")
}

// Config is a run.
type Config struct {
	Seed    uint64
	Nodes   int           // workers, the second of which is Windows-shaped; default 4
	Placers int           // default 2
	Jobs    int           // default 40
	Length  time.Duration // of the part with faults, in virtual time; default 1 min
	Settle  time.Duration // how long everything may take to come to rest; default 30 min
	Faults  Faults
	Aim     *Aim // a crash to bring about besides; nil: the seed chooses
	// Errands makes most of the work the kinds that are rare otherwise, so that
	// rare calls are made.
	Errands bool
	// Logger gets what the processes log, as it happens; nil: it is kept for the
	// trace of a violation.
	Logger *slog.Logger
}

// Aim is a crash at the nth call of some process of the role, counted over its
// lives.
type Aim struct {
	Point
	Nth int
}

func (c Config) withDefaults() (Config, error) {
	for _, d := range []struct {
		name     string
		value    *int
		fallback int
	}{{"nodes", &c.Nodes, 4}, {"placers", &c.Placers, 2}, {"jobs", &c.Jobs, 40}} {
		if *d.value == 0 {
			*d.value = d.fallback
		}
		if *d.value < 0 {
			return c, fmt.Errorf("%s: %d is not allowed; want 1 or more", d.name, *d.value)
		}
	}
	if c.Length == 0 {
		c.Length = time.Minute
	}
	if c.Settle == 0 {
		c.Settle = 30 * time.Minute
	}
	if c.Length < 0 || c.Settle < 0 {
		return c, fmt.Errorf("length: %v and settle: %v are not allowed; want durations above 0", c.Length, c.Settle)
	}
	return c, nil
}

// Repeat is the command that does the same run again.
func (c Config) Repeat() string {
	return fmt.Sprintf("shunt sim --seed %d --nodes %d --placers %d --jobs %d --length %s --faults %s",
		c.Seed, c.Nodes, c.Placers, c.Jobs, c.Length, c.Faults)
}
