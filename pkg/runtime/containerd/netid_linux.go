package containerd

import (
	"context"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// NamespaceID is none: that is Windows'.
func (r *Runtime) NamespaceID(ctx context.Context, id runtime.ContainerID) (string, error) {
	_, err := r.refresh(ctx, id)
	return "", err
}
