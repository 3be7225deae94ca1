package worker

import (
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// What is accepted is in the journal and in memory until it is over, so that
// there is an end to it: what asks for no resources as well, and what waits.
const (
	mostContainers = 4096 // jobs that make a container, for as long as it runs
	mostOps        = 1024 // all others
	mostInLine     = 64   // that one container has in its line
)

// crowd counts what is being carried out.
type crowd struct{ containers, ops int }

// add counts an attempt in, or out.
func (c *crowd) add(at *active, n int) {
	if at.Job.Op.Places() {
		c.containers += n
	} else {
		c.ops += n
	}
}

// check says why there is no place for one more. What looks for a node goes to
// another one.
func (c *crowd) check(job *messages.Job) (*messages.RouteToPeer, error) {
	switch places := job.Op.Places(); {
	case places && c.containers >= mostContainers:
		return refusal(job, messages.RefuseCapacity, "%d jobs with a container are at work on this node, which is the most", mostContainers), nil
	case !places && c.ops >= mostOps:
		return nil, exhausted("%d ops are at work on this node, which is the most; ask again later", mostOps)
	}
	return nil, nil
}

// tooLate says that a line has as much as it may before a place.
func (p *place) tooLate() error {
	if p == nil || p.before < mostInLine {
		return nil
	}
	return exhausted("%d jobs wait for container %s on this node, which is the most; ask again later", mostInLine, p.container)
}

func exhausted(format string, args ...any) error {
	return &messages.Error{Code: messages.CodeResourceExhausted, Retryable: true, Message: fmt.Sprintf(format, args...)}
}
