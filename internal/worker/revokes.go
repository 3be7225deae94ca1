package worker

import (
	"fmt"
	"sync"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A revoke is sent again until it is confirmed, by every placer that comes upon
// it, and takes as long as the runtime does. So its repeats join the one that is
// being carried out, and do not wait each for itself.
type revokes struct {
	mu    sync.Mutex
	under map[revokeKey][]bus.Request // those who want the answer, oldest first
}

// revokeKey tells a repeat from another revoke.
type revokeKey struct {
	job           string
	attempt, upTo uint64
}

// mostAskers is how many wait for the answer of one revoke. Whoever asks has
// stopped waiting after a few seconds, and asks again.
const mostAskers = 8

// join adds somebody who wants a revoke's answer. first: it is not being carried
// out yet, and the caller has to. over is who has waited for longest, when there
// are too many, or nil.
func (s *revokes) join(k revokeKey, asker bus.Request) (first bool, over bus.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	askers, begun := s.under[k]
	if len(askers) == mostAskers {
		over, askers = askers[0], askers[1:]
	}
	if s.under == nil {
		s.under = map[revokeKey][]bus.Request{}
	}
	s.under[k] = append(askers, asker)
	return !begun, over
}

// end is everybody who wants the answer that there is now.
func (s *revokes) end(k revokeKey) []bus.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer delete(s.under, k)
	return s.under[k]
}

// revokeOnce carries a revoke out, and answers everybody who has asked for it
// meanwhile; or leaves it to who carries it out already.
func (w *Worker) revokeOnce(cmd order, r bus.Request) {
	k := revokeKey{cmd.job.ID, cmd.job.Attempt, cmd.job.Args.Attempt}
	first, over := w.revokes.join(k, r)
	if over != nil {
		err := busy(fmt.Sprintf("the revoke up to attempt %d is still being carried out", k.upTo))
		w.reply(over, w.rejected(&cmd.job, nil, err))
	}
	if !first {
		return
	}
	outcome, err := w.accept(w.ctx, cmd)
	if err != nil {
		outcome = w.rejected(&cmd.job, nil, err)
	}
	for _, asker := range w.revokes.end(k) {
		w.reply(asker, outcome)
	}
}

// busy says that a command has to be sent again later.
func busy(why string) error {
	return &messages.Error{Code: messages.CodeUnavailable, Retryable: true, Message: why}
}
