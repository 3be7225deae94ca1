//go:build !linux

package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
)

// errLinuxOnly: the guard is a process of Linux yet.
var errLinuxOnly = errors.New("a guard process is there on Linux only")

// NewProcess is no guard: what would need one is refused, since nobody would end
// it when its worker is gone.
func NewProcess(string, []string) (lease.Guard, error) { return refusing{}, nil }

type refusing struct{}

func (refusing) Watch(r lease.Record) error {
	if len(r.Containers) == 0 {
		return nil
	}
	return fmt.Errorf("policy.on_partition: stop needs a guard, and this node has none: %w; send the job to a node with Linux, or let it keep: %w", errLinuxOnly, errdefs.ErrNotImplemented)
}

func (refusing) Last() (lease.Record, error) { return lease.Record{}, nil }

func (refusing) Stopped(string, uint64) bool { return false }

// Serve is the guard's process.
func Serve(context.Context, string, func(context.Context) (Runtime, error), *slog.Logger) error {
	return errLinuxOnly
}
