package runtime

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Create makes the container with the first member that can run it. What
// Platform opts names counts before the spec's. The image is taken as it was
// pulled: a tag is not checked again, whatever the pull policy.
func (c *Composite) Create(ctx context.Context, id ContainerID, spec *messages.Spec, opts CreateOptions) error {
	if err := checkImage(spec); err != nil {
		return err
	}
	unlock, err := c.turns.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.vacant(ctx, id); err != nil {
		return err
	}
	places, opts, err := c.placesFor(ctx, id, spec, opts)
	if err != nil {
		return err
	}
	var failed []error
	for _, m := range places {
		if err = m.Create(ctx, id, spec, opts); err == nil {
			c.remember(id, m)
			return nil
		}
		failed = append(failed, err)
		if !elsewhere(err) {
			break
		}
	}
	if len(failed) > 1 && !elsewhere(err) {
		return err // the image was there, and it failed
	}
	return failed[0]
}

// vacant is an error of class AlreadyExists if a member holds the id, whichever
// would get it now. A member that is away and of which nothing is remembered is
// no obstacle: a node whose delegate is gone for good still works.
func (c *Composite) vacant(ctx context.Context, id ContainerID) error {
	if h := c.recall(id); h != nil {
		_, err := c.askState(ctx, h.by, id)
		switch {
		case err == nil:
			return taken(id, h)
		case !errdefs.IsNotFound(err):
			return fmt.Errorf("container %s: the %s runtime held it and does not say whether it still does: %w", id, h.by.name, err)
		}
		c.forget(id, h)
	}
	if len(c.members) == 1 {
		return nil // it says so itself
	}
	if h, _ := c.locate(ctx, id); h != nil {
		return taken(id, h)
	}
	return ctx.Err()
}

func taken(id ContainerID, h *holding) error {
	return fmt.Errorf("container %s: the %s runtime holds one of that name: %w", id, h.by.name, errdefs.ErrAlreadyExists)
}

// placesFor is the members to try, and the options for them.
func (c *Composite) placesFor(ctx context.Context, id ContainerID, spec *messages.Spec, opts CreateOptions) ([]*member, CreateOptions, error) {
	q := question{service: id.Service, image: spec.Image, want: opts.Platform, pull: messages.PullIfNotPresent}
	if q.want == (messages.Platform{}) && spec.Platform != nil {
		q.want = *spec.Platform
	}
	if spec.Pull == messages.PullNever {
		q.pull = spec.Pull
	}
	found, err := c.inquire(ctx, q)
	if err != nil {
		return nil, opts, err
	}
	pick, err := found.decide()
	if err != nil {
		return nil, opts, err
	}
	if found.blind() {
		return c.members, opts, nil
	}
	opts.Platform = pick.platform
	return c.members[pick.member:][:1], opts, nil
}

func (c *Composite) Start(ctx context.Context, id ContainerID) error {
	return inTurn(ctx, c, id, func(rt Runtime) error { return rt.Start(ctx, id) })
}

func (c *Composite) Stop(ctx context.Context, id ContainerID, timeout time.Duration) error {
	return on(ctx, c, id, func(rt Runtime) error { return rt.Stop(ctx, id, timeout) })
}

func (c *Composite) Kill(ctx context.Context, id ContainerID, signal string) error {
	return on(ctx, c, id, func(rt Runtime) error { return rt.Kill(ctx, id, signal) })
}

func (c *Composite) Remove(ctx context.Context, id ContainerID, opts RemoveOptions) error {
	unlock, err := c.turns.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	h, err := c.find(ctx, id)
	if err != nil {
		return err
	}
	err = h.by.Remove(ctx, id, opts)
	if err == nil || errdefs.IsNotFound(err) {
		c.forget(id, h)
	}
	return err
}

func (c *Composite) Rename(ctx context.Context, id ContainerID, name string) error {
	return inTurn(ctx, c, id, func(rt Runtime) error { return rt.Rename(ctx, id, name) })
}

func (c *Composite) Pause(ctx context.Context, id ContainerID) error {
	return inTurn(ctx, c, id, func(rt Runtime) error { return rt.Pause(ctx, id) })
}

func (c *Composite) Unpause(ctx context.Context, id ContainerID) error {
	return inTurn(ctx, c, id, func(rt Runtime) error { return rt.Unpause(ctx, id) })
}

func (c *Composite) UpdateResources(ctx context.Context, id ContainerID, res messages.Resources) error {
	return inTurn(ctx, c, id, func(rt Runtime) error { return rt.UpdateResources(ctx, id, res) })
}

// PruneContainers prunes with every member.
func (c *Composite) PruneContainers(ctx context.Context) (PruneResult, error) {
	return c.prune(ctx, "prune containers", Runtime.PruneContainers)
}

func (c *Composite) prune(ctx context.Context, op string, prune func(Runtime, context.Context) (PruneResult, error)) (PruneResult, error) {
	pruned, _, err := gather(ctx, c, op, func(ctx context.Context, m *member) (PruneResult, error) { return prune(m.Runtime, ctx) })
	var sum PruneResult
	for _, p := range pruned {
		sum.Deleted = append(sum.Deleted, p.value.Deleted...)
		sum.SpaceReclaimed += p.value.SpaceReclaimed
	}
	return sum, err
}

func (c *Composite) SyncVolumes(ctx context.Context, id ContainerID, opts SyncOptions) (volumes []messages.VolumeBytes, err error) {
	err = inTurn(ctx, c, id, func(rt Runtime) error {
		volumes, err = rt.SyncVolumes(ctx, id, opts)
		return err
	})
	return volumes, err
}
