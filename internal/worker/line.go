package worker

import (
	"context"
	"slices"
	"sync"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// lines keep the order of what is asked of one container: one thing after the
// other, as it came.
type lines struct {
	mu  sync.Mutex
	all map[string][]*place
}

// place is a place in a container's line.
type place struct {
	lines     *lines
	container string
	before    int           // how many were in the line when it was joined
	first     chan struct{} // closed when nothing is before it
	kept      bool          // an attempt has it; owned by who takes the command
}

// joinFor takes the last place in the line of the container that a job makes or
// works on. Revokes stand in none: they end what stands in the way. Nor does
// what has no container.
func (l *lines) joinFor(job *messages.Job) *place {
	if !job.Op.Places() && !job.Op.OnContainer() || job.Op == messages.OpRevoke {
		return nil
	}
	return l.join(job.ContainerName())
}

// join takes the last place in a container's line. leave must be called.
func (l *lines) join(container string) *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[string][]*place{}
	}
	p := &place{lines: l, container: container, before: len(l.all[container]), first: make(chan struct{})}
	l.all[container] = append(l.all[container], p)
	if len(l.all[container]) == 1 {
		close(p.first)
	}
	return p
}

// wait returns when the place is the first in its line. A nil one is.
func (p *place) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	select {
	case <-p.first:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// keep says that an attempt has the place, and will leave it.
func (p *place) keep() {
	if p != nil {
		p.kept = true
	}
}

// settle leaves the place if no attempt has it.
func (p *place) settle() {
	if p != nil && !p.kept {
		p.leave()
	}
}

// leave gives the place up, once and for all.
func (p *place) leave() {
	if p == nil {
		return
	}
	p.lines.mu.Lock()
	defer p.lines.mu.Unlock()
	line := p.lines.all[p.container]
	i := slices.Index(line, p)
	if i < 0 {
		return
	}
	line = slices.Delete(line, i, i+1)
	if len(line) == 0 {
		delete(p.lines.all, p.container)
		return
	}
	p.lines.all[p.container] = line
	if i == 0 {
		close(line[0].first)
	}
}
