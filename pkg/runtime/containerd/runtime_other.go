//go:build !linux && !windows

package containerd

import (
	"context"
	"fmt"
	goruntime "runtime"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Runtime runs containers on containerd; on this operating system it cannot
// yet be made.
type Runtime struct{ runtime.Unimplemented }

// New is NotImplemented on this operating system.
func New(_ context.Context, cfg Config) (*Runtime, error) {
	if _, err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("the containerd runtime does not run on %s yet: %w", goruntime.GOOS, errdefs.ErrNotImplemented)
}

// Close does nothing.
func (r *Runtime) Close() error { return nil }

// Tend is NotImplemented.
func (r *Runtime) Tend(context.Context) error {
	return fmt.Errorf("the containerd runtime does not run on %s yet: %w", goruntime.GOOS, errdefs.ErrNotImplemented)
}

// Discard does nothing: nothing is there.
func (r *Runtime) Discard(context.Context) error { return nil }

// Lookup is NotImplemented: there is no store to look in.
func (r *Runtime) Lookup(_ context.Context, ref string) (string, []messages.Platform, error) {
	return "", nil, fmt.Errorf("image %s: containerd: this build runs no containers on %s: %w", ref, goruntime.GOOS, errdefs.ErrNotImplemented)
}
