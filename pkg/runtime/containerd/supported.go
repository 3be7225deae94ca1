package containerd

import (
	"fmt"
	goruntime "runtime"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/runhcs"
)

// supported refuses, by name, fields of a spec that would otherwise be ignored.
func supported(spec *messages.Spec) error {
	if spec.Resources.GPU != 0 {
		return fmt.Errorf("spec.resources.gpu: the containerd runtime does not support it yet; leave it out: %w", errdefs.ErrNotImplemented)
	}
	if goruntime.GOOS == "windows" {
		return runhcs.Check(spec)
	}
	return nil
}
