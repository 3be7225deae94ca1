package memory

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// defaultGrace is how long Stop waits when the spec does not say.
const defaultGrace = 10 * time.Second

// Start runs the container's program.
func (r *Runtime) Start(ctx context.Context, id runtime.ContainerID) error {
	c, unlock, err := r.on(ctx, "start", id)
	if err != nil {
		return err
	}
	defer unlock()
	if c.process != nil {
		return fmt.Errorf("start %s: it is %s already: %w", id, c.state().Phase, errdefs.ErrFailedPrecondition)
	}
	c.startedAt, c.finishedAt = time.Now(), time.Time{}
	write := func(stream runtime.Stream, data []byte) {
		c.log.write(time.Now(), stream, data)
		c.turn.changed()
	}
	c.process = r.m.run(c.program, write, c.ended)
	c.turn.changed()
	return nil
}

// ended keeps how the main process came to its end; the others end with it.
func (c *container) ended(p *process, code int) {
	c.finishedAt = time.Now()
	c.last = runtime.WaitOutcome{ExitCode: code, Reason: messages.ExitExited, FinishedAt: c.finishedAt}
	switch signal, lost := p.ending(); {
	case lost:
		c.last.ExitCode, c.last.Reason = lostCode, messages.ExitRuntimeError
	case signal != 0:
		c.last.Signal, c.last.Reason = signal, messages.ExitSignal
	}
	c.exits++
	c.process = nil
	for exec := range c.execs {
		exec.raise(sigKill)
	}
	c.turn.changed()
}

// Stop sends the stop signal, and KILL when that was not enough.
func (r *Runtime) Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error {
	c, unlock, err := r.on(ctx, "stop", id)
	if err != nil {
		return err
	}
	defer unlock()
	p := c.process
	if p == nil {
		return nil
	}
	if timeout < 0 {
		timeout = cmp.Or(c.spec.StopGrace.Std(), defaultGrace)
	}
	c.stops++
	defer func() { c.stops--; c.turn.changed() }()
	signal, _ := messages.ParseSignal(cmp.Or(c.spec.StopSignal, c.image.StopSignal, "TERM"))
	p.raise(signal)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	what := "stop " + id.String()
	over := func() bool { return c.process != p }
	if done, err := r.await(ctx, what, &c.turn, timer.C, over); done || err != nil {
		return err
	}
	p.raise(sigKill)
	_, err = r.await(ctx, what, &c.turn, nil, over)
	return err
}

// Kill sends a signal to the container's program.
func (r *Runtime) Kill(ctx context.Context, id runtime.ContainerID, signal string) error {
	c, unlock, err := r.on(ctx, "kill", id)
	if err != nil {
		return err
	}
	defer unlock()
	number, err := parseSignal(signal)
	if err != nil {
		return fmt.Errorf("kill %s: %w", id, err)
	}
	if err := c.running("kill"); err != nil {
		return err
	}
	c.process.raise(number)
	return nil
}

func parseSignal(signal string) (int, error) {
	number, ok := messages.ParseSignal(cmp.Or(signal, "KILL"))
	if !ok {
		return 0, fmt.Errorf("signal %q is not known; want one such as TERM, KILL or INT, or a number from 1 to 64: %w",
			signal, errdefs.ErrInvalidArgument)
	}
	return number, nil
}

// Remove takes the container away. Its output stays readable for a while.
func (r *Runtime) Remove(ctx context.Context, id runtime.ContainerID, opts runtime.RemoveOptions) error {
	c, unlock, err := r.on(ctx, "remove", id)
	if err != nil {
		return err
	}
	defer unlock()
	for c.process != nil {
		if !opts.Force {
			return fmt.Errorf("remove %s: it is %s; stop it first, or force: %w", id, c.state().Phase, errdefs.ErrFailedPrecondition)
		}
		p := c.process
		p.raise(sigKill)
		if _, err := r.await(ctx, "remove "+id.String(), &c.turn, nil, func() bool { return c.process != p }); err != nil {
			return err
		}
	}
	if c.removed {
		return fmt.Errorf("remove %s: no such container; another call removed it: %w", id, errdefs.ErrNotFound)
	}
	r.m.bury(c)
	return nil
}
