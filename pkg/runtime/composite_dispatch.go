package runtime

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/containerd/errdefs"
)

// holding says that a member holds a container.
type holding struct {
	by   *member
	tick uint64 // of Composite.clock, when that was learned
}

// find is who holds the container: as remembered, or as the members say.
func (c *Composite) find(ctx context.Context, id ContainerID) (*holding, error) {
	if h := c.recall(id); h != nil {
		return h, nil
	}
	h, away := c.locate(ctx, id)
	if h != nil {
		return h, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(away) > 0 {
		return nil, fmt.Errorf("container %s: no runtime that is there holds it, but not all are (%w): %w", id, joined(away), errdefs.ErrUnavailable)
	}
	return nil, fmt.Errorf("container %s: no runtime of this node holds it: %w", id, errdefs.ErrNotFound)
}

func (c *Composite) recall(id ContainerID) *holding {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.where[id]
}

func (c *Composite) remember(id ContainerID, m *member) *holding {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	h := &holding{by: m, tick: c.clock}
	c.where[id] = h
	return h
}

// forget drops a memory that has turned out wrong, unless it is newer.
func (c *Composite) forget(id ContainerID, h *holding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.where[id] == h {
		delete(c.where, id)
	}
}

// locate asks the members for a container; the first in their order to have it
// holds it. Otherwise away is who did not say.
func (c *Composite) locate(ctx context.Context, id ContainerID) (h *holding, away []*MemberError) {
	began := c.now()
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	answers := onAll(ctx, c.members, func(ctx context.Context, m *member) (State, error) {
		state, err := m.State(ctx, id)
		if err == nil {
			cancel() // nobody has to wait for the others
		}
		return state, err
	})
	for i, a := range answers {
		switch m := c.members[i]; {
		case a.err == nil:
			return c.learnt(id, m, began), nil
		case !errdefs.IsNotFound(a.err):
			away = append(away, &MemberError{m.name, a.err})
		}
	}
	return nil, away
}

func (c *Composite) now() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock
}

// askState asks one member for a container, for as long as patience lasts.
func (c *Composite) askState(ctx context.Context, m *member, id ContainerID) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	return m.State(ctx, id)
}

// learnt remembers what a member said since began, unless something is known
// from since then.
func (c *Composite) learnt(id ContainerID, m *member, began uint64) *holding {
	if h := c.recall(id); h != nil && (h.tick > began || h.by == m) {
		return h
	}
	return c.remember(id, m)
}

// heed learns from what the holder of a container answered.
func (c *Composite) heed(id ContainerID, h *holding, err error) {
	if errdefs.IsNotFound(err) {
		c.forget(id, h) // it may have meant something else: then it is found again
	}
}

// on calls the member that holds the container.
func on(ctx context.Context, c *Composite, id ContainerID, call func(Runtime) error) error {
	h, err := c.find(ctx, id)
	if err != nil {
		return err
	}
	err = call(h.by.Runtime)
	c.heed(id, h, err)
	return err
}

// from is on for calls with a result.
func from[T any](ctx context.Context, c *Composite, id ContainerID, call func(Runtime) (T, error)) (result T, err error) {
	err = on(ctx, c, id, func(rt Runtime) error {
		result, err = call(rt)
		return err
	})
	return result, err
}

// inTurn is on, with the container's turn.
func inTurn(ctx context.Context, c *Composite, id ContainerID, call func(Runtime) error) error {
	unlock, err := c.turns.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	return on(ctx, c, id, call)
}

// stream is from for sequences. The holder is looked for when the sequence is
// read.
func stream[T any](ctx context.Context, c *Composite, id ContainerID, open func(Runtime) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		h, err := c.find(ctx, id)
		if err != nil {
			noSeq[T](err)(yield)
			return
		}
		open(h.by.Runtime)(func(v T, err error) bool {
			c.heed(id, h, err)
			return yield(v, err)
		})
	}
}

// firstOf asks the members in order until one does it, and is what that one
// gave. An ask says whether, after an error, the next member may be asked.
func firstOf[T any](c *Composite, ask func(*member) (value T, again bool, err error)) (T, error) {
	var failed []*MemberError
	for _, m := range c.members {
		v, again, err := ask(m)
		if err == nil {
			return v, nil
		}
		failed = append(failed, &MemberError{m.name, err})
		if !again {
			break
		}
	}
	var none T
	return none, telling(failed)
}

// telling is the error that says most: the first that is neither NotFound nor
// NotImplemented, else the first that is not NotImplemented, else the first.
func telling(failed []*MemberError) error {
	for _, dull := range []func(error) bool{
		func(err error) bool { return errdefs.IsNotFound(err) || errdefs.IsNotImplemented(err) },
		errdefs.IsNotImplemented,
	} {
		for _, e := range failed {
			if !dull(e.Err) {
				return e.Err
			}
		}
	}
	return failed[0].Err
}

// elsewhere tells whether an error leaves hope that another member can do it.
func elsewhere(err error) bool {
	if _, ok := errors.AsType[*RouteToPeerError](err); ok {
		return true
	}
	return errdefs.IsNotFound(err) || errdefs.IsNotImplemented(err)
}
