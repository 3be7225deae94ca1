package managed

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/containerd/errdefs"
)

// Config says where a containerd is to live.
type Config struct {
	StateDir string // absolute; required
	// Tools is the directory of containerd, containerd-shim-runc-v2 and runc;
	// default: beside this program, then the PATH.
	Tools        string
	StartTimeout time.Duration // until it answers; default: 30s
	Logger       *slog.Logger  // default: slog.Default()
}

func (c Config) withDefaults() (Config, error) {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = 30 * time.Second
	}
	switch {
	case !filepath.IsAbs(c.StateDir):
		return c, fmt.Errorf("managed containerd: config: StateDir: %q is not an absolute path: %w", c.StateDir, errdefs.ErrInvalidArgument)
	case c.StartTimeout < 0:
		return c, fmt.Errorf("managed containerd: config: StartTimeout: %s is not a duration above zero: %w", c.StartTimeout, errdefs.ErrInvalidArgument)
	}
	c.StateDir = filepath.Clean(c.StateDir)
	return c, nil
}
