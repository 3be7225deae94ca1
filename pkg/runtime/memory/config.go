package memory

import (
	"cmp"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The defaults of a Config.
const (
	DefaultLogBytes = 1 << 20 // of output that a container keeps
	DefaultKeptLogs = 256     // removed containers whose output stays readable
)

// Config says what a Machine is.
type Config struct {
	// Platforms is what the machine pretends to run, its preferred one first.
	// At least one is required, each with its os and arch.
	Platforms []messages.Platform
	// Images is where Pull learns of images. It is required.
	Images ImageSource
	// LogBytes bounds the output that a container keeps; the oldest goes
	// first. 0 is DefaultLogBytes.
	LogBytes int
	// KeptLogs is how many removed containers' output stays readable; the one
	// removed first goes first. 0 is DefaultKeptLogs.
	KeptLogs int
	// Version is what Describe tells: the program's. "" is "dev".
	Version string
}

func (cfg *Config) complete() error {
	if len(cfg.Platforms) == 0 {
		return invalid("Platforms is empty; want at least one, such as linux/amd64")
	}
	for i, p := range cfg.Platforms {
		if err := p.Validate(); err != nil {
			return invalid("Platforms[%d]: %v", i, err)
		}
		if p.OS == "" || p.Arch == "" {
			return invalid("Platforms[%d] is %q; want both os and arch, as in linux/amd64", i, p)
		}
	}
	if cfg.Images == nil {
		return invalid("Images is nil; want a source of images, such as StaticImages")
	}
	if cfg.LogBytes < 0 || cfg.KeptLogs < 0 {
		return invalid("LogBytes is %d and KeptLogs %d; want 0 for the default, or more", cfg.LogBytes, cfg.KeptLogs)
	}
	cfg.LogBytes = cmp.Or(cfg.LogBytes, DefaultLogBytes)
	cfg.KeptLogs = cmp.Or(cfg.KeptLogs, DefaultKeptLogs)
	cfg.Version = cmp.Or(cfg.Version, "dev")
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("memory: config: %s: %w", fmt.Sprintf(format, args...), errdefs.ErrInvalidArgument)
}
