package runtime

import (
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// CheckSpec is what an adapter's Create asks first: an error of class
// InvalidArgument names the field of the spec that is wrong.
func CheckSpec(spec *messages.Spec) error {
	if spec == nil || spec.Image == "" {
		return fmt.Errorf("spec.image: is missing; want the reference of an image: %w", errdefs.ErrInvalidArgument)
	}
	if err := spec.Validate(); err != nil {
		return fmt.Errorf("spec: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	return nil
}

// CheckResources is the same for UpdateResources.
func CheckResources(res messages.Resources) error {
	if err := res.Validate(); err != nil {
		return fmt.Errorf("resources: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	return nil
}

// CheckHealth is the same for Probe.
func CheckHealth(check messages.Health) error {
	if err := check.Validate(); err != nil {
		return fmt.Errorf("check: %w: %w", err, errdefs.ErrInvalidArgument)
	}
	return nil
}
