//go:build !linux

package managed

import (
	"context"
	"fmt"
	"runtime"

	"github.com/containerd/errdefs"
)

// Containerd is a containerd of shunt's own; on this operating system there is
// none yet.
type Containerd struct{}

// Start is NotImplemented on this operating system.
func Start(_ context.Context, cfg Config) (*Containerd, error) {
	if _, err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("a managed containerd does not run on %s yet: %w", runtime.GOOS, errdefs.ErrNotImplemented)
}

// Address is empty.
func (c *Containerd) Address() string { return "" }

// Health is NotImplemented.
func (c *Containerd) Health() error { return errdefs.ErrNotImplemented }

// Close does nothing.
func (c *Containerd) Close() error { return nil }

// Shutdown does nothing.
func (c *Containerd) Shutdown(context.Context) error { return nil }

// Remove does nothing.
func (c *Containerd) Remove(context.Context) error { return nil }
