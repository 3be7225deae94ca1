package containerd

import (
	"context"
	"errors"

	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"

	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/runhcs"
)

// addFigures are what the shim reads of the container.
func (r *Runtime) addFigures(ctx context.Context, out *runtime.Stats, rec containers.Container, figures any) error {
	if err := runhcs.AddFigures(out, figures); err != nil {
		return err
	}
	spec, err := specOf(rec)
	if err != nil {
		return err
	}
	out.MemoryLimit = uint64(spec.Resources.Memory)
	held, err := r.processes(ctx, rec.ID)
	out.PIDs = uint64(len(held))
	return err
}

// addNetwork are the figures of the container's endpoint: the shim has none.
func (r *Runtime) addNetwork(out *runtime.Stats, rec containers.Container, _ uint32) (err error) {
	out.Network.RxBytes, out.Network.TxBytes, err = r.networks.Counters(rec.ID)
	return err
}

// commandOf is a process's program; its arguments are not told.
func commandOf(p *tasktypes.ProcessInfo) (string, error) {
	info, err := typeurl.UnmarshalAny(p.Info)
	if err != nil {
		return "", err
	}
	name, _ := runhcs.Program(info)
	if name == "" {
		return "", errors.New("the shim does not name it")
	}
	return name, nil
}
