package workerd

import (
	"fmt"
	"os"

	"github.com/shunt-fleet/shunt/internal/worker/policy"
)

// policy is --policy, read; without one, the default.
func (c *Config) policy() (*policy.Policy, error) {
	if c.Policy == "" {
		return policy.Default(), nil
	}
	data, err := os.ReadFile(c.Policy)
	if err != nil {
		return nil, fmt.Errorf("--policy: %w; want a file as docs/policy.md has it", err)
	}
	p, err := policy.Parse(c.Policy, data)
	if err != nil {
		return nil, fmt.Errorf("--policy: %w", err)
	}
	return p, nil
}
