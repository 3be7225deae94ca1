package containerd

import (
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// supported refuses, by name, the fields of a spec that would otherwise be
// ignored.
func supported(spec *messages.Spec) error {
	for _, f := range []struct {
		field string
		used  bool
	}{
		{"devices", len(spec.Devices) > 0},
		{"resources.gpu", spec.Resources.GPU != 0},
		{"privileged", spec.Privileged},
		{"stdin", spec.Stdin},
	} {
		if f.used {
			return fmt.Errorf("spec.%s: the containerd runtime does not support it yet; leave it out: %w", f.field, errdefs.ErrNotImplemented)
		}
	}
	return nil
}
