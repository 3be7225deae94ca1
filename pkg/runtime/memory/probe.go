package memory

import (
	"context"
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Probe makes a health check. Nothing listens on a memory machine: a container
// answers http and tcp for as long as its program runs.
func (r *Runtime) Probe(ctx context.Context, id runtime.ContainerID, check messages.Health) (runtime.Verdict, error) {
	if err := runtime.CheckHealth(check); err != nil {
		return runtime.Verdict{}, fmt.Errorf("container %s: %w", id, err)
	}
	if check.Command != nil {
		return runtime.CheckByCommand(ctx, r, id, check)
	}
	c, unlock, err := r.on(ctx, "check", id)
	if err != nil {
		return runtime.Verdict{}, err
	}
	defer unlock()
	if err := c.running("check"); err != nil {
		return runtime.Verdict{}, err
	}
	if c.process.isFrozen() {
		return runtime.Verdict{Output: "the program is paused"}, nil
	}
	return runtime.Verdict{Healthy: true, Output: "the program runs"}, nil
}
