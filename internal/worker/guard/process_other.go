//go:build !linux

package guard

import (
	"context"
	"errors"
	"log/slog"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
)

// errLinuxOnly: containers that outlive their worker are run on Linux alone yet.
var errLinuxOnly = errors.New("a guard process is there on Linux only")

// NewProcess is a guard over a state directory.
func NewProcess(string, []string) (lease.Guard, error) { return nil, errLinuxOnly }

// Serve is the guard's process.
func Serve(context.Context, string, func(context.Context) (Runtime, error), *slog.Logger) error {
	return errLinuxOnly
}
