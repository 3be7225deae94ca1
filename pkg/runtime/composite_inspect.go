package runtime

import (
	"context"
	"iter"
	"net/netip"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// List is every container of the members that are there, each with its member
// as Runtime. Who concludes anything from a container's absence wants
// ListMembers, or State.
func (c *Composite) List(ctx context.Context) ([]Container, error) {
	all, _, err := c.ListMembers(ctx)
	return all, err
}

// ListMembers is List and, beside it, which members gave no list. err is theirs
// if none gave one.
func (c *Composite) ListMembers(ctx context.Context) (all []Container, missing []*MemberError, err error) {
	began := c.now()
	lists, missing, err := gather(ctx, c, "list containers", func(ctx context.Context, m *member) ([]Container, error) { return m.List(ctx) })
	for _, l := range lists {
		for _, held := range l.value {
			held.Runtime = l.by.name
			all = append(all, held)
		}
		c.review(l.by, l.value, began)
	}
	return all, missing, err
}

// review learns from a member's list what it holds, and what it no longer does.
// What was learned since the list was asked for stays.
func (c *Composite) review(m *member, held []Container, began uint64) {
	listed := make(map[ContainerID]bool, len(held))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range held {
		listed[h.ID] = true
		if c.where[h.ID] == nil {
			c.clock++
			c.where[h.ID] = &holding{by: m, tick: c.clock}
		}
	}
	for id, h := range c.where {
		if h.by == m && h.tick <= began && !listed[id] {
			delete(c.where, id)
		}
	}
}

func (c *Composite) State(ctx context.Context, id ContainerID) (State, error) {
	return from(ctx, c, id, func(rt Runtime) (State, error) { return rt.State(ctx, id) })
}

// Inspect is what the member that holds the container knows of it, with its
// name as Runtime.
func (c *Composite) Inspect(ctx context.Context, id ContainerID) (Details, error) {
	h, err := c.find(ctx, id)
	if err != nil {
		return Details{}, err
	}
	details, err := h.by.Inspect(ctx, id)
	c.heed(id, h, err)
	if err == nil {
		details.Runtime = h.by.name
	}
	return details, err
}

func (c *Composite) Stats(ctx context.Context, id ContainerID) (Stats, error) {
	return from(ctx, c, id, func(rt Runtime) (Stats, error) { return rt.Stats(ctx, id) })
}

func (c *Composite) StatsStream(ctx context.Context, id ContainerID, every time.Duration) iter.Seq2[Stats, error] {
	return stream(ctx, c, id, func(rt Runtime) iter.Seq2[Stats, error] { return rt.StatsStream(ctx, id, every) })
}

func (c *Composite) PID(ctx context.Context, id ContainerID) (int, error) {
	return from(ctx, c, id, func(rt Runtime) (int, error) { return rt.PID(ctx, id) })
}

func (c *Composite) IP(ctx context.Context, id ContainerID) (netip.Addr, error) {
	return from(ctx, c, id, func(rt Runtime) (netip.Addr, error) { return rt.IP(ctx, id) })
}

func (c *Composite) PortOverride(ctx context.Context, id ContainerID) (uint16, error) {
	return from(ctx, c, id, func(rt Runtime) (uint16, error) { return rt.PortOverride(ctx, id) })
}

func (c *Composite) PortMappings(ctx context.Context, id ContainerID) ([]messages.Port, error) {
	return from(ctx, c, id, func(rt Runtime) ([]messages.Port, error) { return rt.PortMappings(ctx, id) })
}

func (c *Composite) NamespaceID(ctx context.Context, id ContainerID) (string, error) {
	return from(ctx, c, id, func(rt Runtime) (string, error) { return rt.NamespaceID(ctx, id) })
}

func (c *Composite) Top(ctx context.Context, id ContainerID) ([]Process, error) {
	return from(ctx, c, id, func(rt Runtime) ([]Process, error) { return rt.Top(ctx, id) })
}

func (c *Composite) Changes(ctx context.Context, id ContainerID) ([]FileChange, error) {
	return from(ctx, c, id, func(rt Runtime) ([]FileChange, error) { return rt.Changes(ctx, id) })
}
