package placement

import "github.com/shunt-fleet/shunt/pkg/messages"

// outcome is what some node says of some attempt.
func (w *walk) outcome() messages.Outcome {
	r := w.rec
	about := given{r.Node, r.Attempt}
	status := oneOf(w, "accepted", "running", "accepted", "running", "running", "running", oneOf(w, messages.Statuses()...))
	n := w.rng.IntN(20)
	switch {
	case n < 4 && r.Successor != nil:
		about = given{r.Successor.Node, r.Successor.Attempt}
	case n < 6 && len(r.Fences) > 0:
		f := oneOf(w, r.Fences...)
		about = given{f.Node, f.Attempt}
		if w.oneIn(8) {
			about.attempt += uint64(w.rng.IntN(3))
		}
		if w.oneIn(2) {
			status = messages.StatusRevoked
		}
	case n < 9 && len(w.seqs) > 0:
		about = oneOf(w, w.attempts()...)
	case n == 9 && r.Highest > r.Attempt:
		about = given{r.Node, r.Attempt + 1 + w.rng.Uint64N(r.Highest-r.Attempt)}
	case n == 9 || n == 16 && r.State == messages.StateCancelling:
		about = given{w.anyNode(), r.LastAttempt() + 1 + w.rng.Uint64N(3)}
		if w.oneIn(4) {
			about.attempt = 1 << (50 + w.rng.IntN(14))
		}
		if w.oneIn(2) {
			status = oneOf(w, messages.StatusCompleted, messages.StatusFailed, messages.StatusInterrupted)
		}
	case n == 10:
		about = given{w.anyNode(), w.rng.Uint64N(r.LastAttempt() + 2)}
	case n < 14:
		status = oneOf(w, messages.Statuses()...)
	case r.State == messages.StateCancelling && n == 15:
		status = messages.StatusRevoked
	}
	if about.node == "" {
		about.node = w.anyNode()
	}
	seq := w.seqs[about] + 1
	if w.oneIn(8) {
		seq = w.rng.Uint64N(seq + 2)
	} else if _, known := w.seqs[about]; known {
		w.seqs[about] = seq
	}
	return w.said(about, seq, status)
}

// said is a whole outcome.
func (w *walk) said(about given, seq uint64, status messages.Status) messages.Outcome {
	o := outcome(status, of(about.node, about.attempt, seq))
	switch status {
	case messages.StatusRunning:
		oneOf(w, unwell, func(*messages.Outcome) {}, func(*messages.Outcome) {})(&o)
	case messages.StatusFailed:
		oneOf(w, passing, exit(1), exit(0), func(*messages.Outcome) {})(&o)
	case messages.StatusRejected:
		oneOf(w, passing, wrongJournal, func(*messages.Outcome) {})(&o)
	case messages.StatusRouteToPeer:
		platforms := oneOf(w, []string{"linux/amd64"}, []string{"windows/amd64"}, []string{"linux/amd64", "linux/arm64"})
		refusing(oneOf(w, messages.RefuseCodes()...), platforms...)(&o)
	}
	return o
}

func wrongJournal(o *messages.Outcome) {
	o.Error = &messages.Error{Code: messages.CodeWrongIncarnation, Message: "another journal", Retryable: true}
}
