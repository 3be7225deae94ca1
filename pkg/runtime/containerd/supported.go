package containerd

import (
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// supported refuses, by name, the one field of a spec that would otherwise be
// ignored.
func supported(spec *messages.Spec) error {
	if spec.Resources.GPU != 0 {
		return fmt.Errorf("spec.resources.gpu: the containerd runtime does not support it yet; leave it out: %w", errdefs.ErrNotImplemented)
	}
	return nil
}
