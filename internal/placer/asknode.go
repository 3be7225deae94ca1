package placer

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// askNode sends a verb to a node's worker and reads the answer. An error that
// the worker gave is a *messages.Error; bus.ErrNoResponders means that nobody
// was there to hear.
func askNode[T any, P interface {
	*T
	messages.Validator
}](ctx context.Context, p *Placer, node string, verb messages.WorkerVerb, request any) (T, error) {
	var none T
	data, err := messages.Encode(request)
	if err != nil {
		return none, err
	}
	reply, err := p.cfg.Bus.Request(ctx, bus.Message{Subject: p.cfg.Root.NodeVerb(node, verb), Data: data})
	if err != nil {
		return none, err
	}
	if said := reply.Header[messages.HeaderError]; said != "" {
		code, message, _ := strings.Cut(said, ": ")
		return none, &messages.Error{Code: messages.Code(code), Message: message}
	}
	return messages.Decode[T, P](reply.Data)
}

// askSoon is askNode for what a worker answers at once.
func askSoon[T any, P interface {
	*T
	messages.Validator
}](ctx context.Context, p *Placer, node string, verb messages.WorkerVerb, request any) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.RequestTimeout)
	defer cancel()
	return askNode[T, P](ctx, p, node, verb, request)
}

// isCode tells whether err is what the other side said, with that code.
func isCode(err error, code messages.Code) bool {
	e, ok := errors.AsType[*messages.Error](err)
	return ok && e.Code == code
}

// attemptOf asks a node's worker what became of an attempt of a job.
func (p *Placer) attemptOf(ctx context.Context, node, job string, attempt uint64) (messages.Outcome, error) {
	o, err := askSoon[messages.Outcome](ctx, p, node, messages.VerbAttempt,
		messages.AttemptRequest{V: messages.Version, Job: job, Attempt: attempt})
	if err == nil {
		err = o.CheckSubject(node, job)
	}
	return o, err
}

// gate lets a bounded number through at once, and never makes anybody wait: who
// is not let in comes again.
type gate chan struct{}

func newGate(most int) gate { return make(gate, most) }

func (g gate) enter() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g gate) leave() { <-g }

// within tells whether something happened less than d ago.
func within(at, now time.Time, d time.Duration) bool { return !at.IsZero() && now.Sub(at) < d }
