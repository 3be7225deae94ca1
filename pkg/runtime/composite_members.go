package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// member is a Runtime of a Composite.
type member struct {
	Runtime
	name string
	last atomic.Pointer[[]messages.Platform] // what it could run when it last said so
}

// MemberError is what a member of a Composite answered instead of a result.
type MemberError struct {
	Member string
	Err    error
}

// Error names the member.
func (e *MemberError) Error() string { return fmt.Sprintf("the %s runtime: %v", e.Member, e.Err) }

// Unwrap is the member's own error.
func (e *MemberError) Unwrap() error { return e.Err }

// MemberStatus is what a member can run now, or why that is nothing.
type MemberStatus struct {
	Name      string
	Platforms []messages.Platform
	Err       error
}

// Member is the member of that name, as it was given to NewComposite.
func (c *Composite) Member(name string) (rt Runtime, ok bool) {
	for _, m := range c.members {
		if m.name == name {
			return m.Runtime, true
		}
	}
	return nil, false
}

// Members is what every member can run now, the primary first.
func (c *Composite) Members(ctx context.Context) []MemberStatus {
	able := c.abilities(ctx)
	out := make([]MemberStatus, len(able))
	for i, a := range able {
		out[i] = MemberStatus{Name: a.name, Platforms: a.platforms, Err: a.away}
	}
	return out
}

// Platforms is what the members that are there can run, the primary's first and
// each once. It is Unavailable when none is there.
func (c *Composite) Platforms(ctx context.Context) ([]messages.Platform, error) {
	var all []messages.Platform
	var failed []error
	for _, a := range c.abilities(ctx) {
		if a.away != nil {
			failed = append(failed, &MemberError{a.name, a.away})
			continue
		}
		for _, p := range a.platforms {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	if len(failed) < len(c.members) {
		return all, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("no runtime of this node is there: %w: %w", errors.Join(failed...), errdefs.ErrUnavailable)
}

// Describe names the members and what they are.
func (c *Composite) Describe(ctx context.Context) (Description, error) {
	var parts []string
	answers := onAll(ctx, c.members, func(ctx context.Context, m *member) (Description, error) { return m.Describe(ctx) })
	for i, a := range answers {
		part := c.members[i].name + "="
		if a.err != nil {
			part += "?"
		} else {
			part += strings.TrimSpace(a.value.Kind + " " + a.value.Version)
		}
		parts = append(parts, part)
	}
	return Description{Kind: "composite", Version: strings.Join(parts, ", ")}, ctx.Err()
}

// abilities asks every member what it can run.
func (c *Composite) abilities(ctx context.Context) []ability {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	answers := onAll(ctx, c.members, func(ctx context.Context, m *member) ([]messages.Platform, error) { return m.Platforms(ctx) })
	able := make([]ability, len(answers))
	for i, a := range answers {
		m := c.members[i]
		able[i] = ability{name: m.name, platforms: a.value, away: a.err}
		if a.err == nil {
			last := slices.Clone(a.value)
			m.last.Store(&last)
		} else if last := m.last.Load(); last != nil {
			able[i].last, able[i].seen = *last, true
		}
	}
	return able
}

// answer is what one member said.
type answer[T any] struct {
	value T
	err   error
}

// onAll asks members at the same time and gives their answers in their order.
func onAll[T any](ctx context.Context, members []*member, ask func(context.Context, *member) (T, error)) []answer[T] {
	answers := make([]answer[T], len(members))
	var wg sync.WaitGroup
	for i, m := range members[1:] {
		wg.Go(func() { answers[i+1].value, answers[i+1].err = ask(ctx, m) })
	}
	answers[0].value, answers[0].err = ask(ctx, members[0])
	wg.Wait()
	return answers
}

// gather is the values of those that answered. The others are logged and given
// as errors; err is all of theirs when nobody answered.
func gather[T any](ctx context.Context, c *Composite, op string, ask func(context.Context, *member) (T, error)) (values []given[T], missing []*MemberError, err error) {
	for i, a := range onAll(ctx, c.members, ask) {
		m := c.members[i]
		if a.err == nil {
			values = append(values, given[T]{m, a.value})
			continue
		}
		missing = append(missing, &MemberError{m.name, a.err})
	}
	if len(values) == 0 {
		return nil, missing, joined(missing)
	}
	for _, e := range missing {
		c.logger.WarnContext(ctx, "a runtime is left out", "op", op, "runtime", e.Member, "error", e.Err)
	}
	return values, missing, nil
}

// given is what a member gave.
type given[T any] struct {
	by    *member
	value T
}

// joined is the errors as one; a single member's is left as it is.
func joined(failed []*MemberError) error {
	if len(failed) == 1 {
		return failed[0].Err
	}
	errs := make([]error, len(failed))
	for i, e := range failed {
		errs[i] = e
	}
	return errors.Join(errs...)
}
