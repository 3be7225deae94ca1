package worker

import (
	"context"
	"fmt"
	"strconv"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// exec runs a program in a container and streams its output; with a terminal or
// an input it is a session. The program ends when its asker leaves.
func (w *Worker) exec(ctx context.Context, f *frames, req messages.ExecRequest) (bus.Header, error) {
	d, err := w.named(ctx, req.Container)
	if err != nil {
		return nil, err
	}
	opts := runtime.ExecOptions{
		Cmd: req.Cmd, Env: req.Env, Workdir: req.Workdir, User: req.User,
		TTY: req.TTY, Stdin: req.Stdin || req.TTY, // who sits at a terminal may type
	}
	if opts.Stdin {
		return w.interact(ctx, f, d.ID, opts)
	}
	for event, err := range w.cfg.Runtime.ExecStream(ctx, d.ID, opts) {
		if err != nil {
			return nil, err
		}
		if event.Exit != nil {
			return exitHeader(*event.Exit), nil
		}
		if err := f.output(ctx, event.Stream, event.Data, nil); err != nil {
			return nil, err
		}
	}
	return nil, errNoExit(d.ID)
}

func exitHeader(code int) bus.Header {
	return bus.Header{messages.HeaderExitCode: strconv.Itoa(code)}
}

// errNoExit is about a program whose end was not told.
func errNoExit(id runtime.ContainerID) error {
	return fmt.Errorf("how the program in %s ended is not known: %w", id, errdefs.ErrInternal)
}
