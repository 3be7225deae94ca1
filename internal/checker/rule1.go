package checker

import (
	"fmt"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// lost is rule 1: an acknowledged job has its last words, or lives.
func (m *model) lost(j *job) []Violation {
	found := m.contradicted(j)
	say := func(what string, events []Event) {
		found = append(found, Violation{Rule: 1, Job: j.id, What: what, Events: events})
	}
	lives := lives(j.words)
	if n := len(lives); n > len(j.retries)+1 {
		say(fmt.Sprintf("it has the last words of %d lives, and was retried %d times", n, len(j.retries)), j.words)
	}
	switch {
	case len(j.acknowledged) == 0:
	case j.live != nil:
		if why := m.stuck(j); why != "" {
			say(why, append(slices.Clone(j.acknowledged), j.outcomes...))
		}
	case len(lives) == 0 && !rejected(j):
		say("it was acknowledged, and there is no last word on it, no live record and no rejection", append(slices.Clone(j.acknowledged), j.outcomes...))
	}
	return found
}

// contradicted are the last words on one life that say different things.
func (m *model) contradicted(j *job) []Violation {
	var found []Violation
	for _, first := range lives(j.words) {
		for _, w := range j.words {
			a, b := first.Record, w.Record
			if a.Retries == b.Retries && (a.State != b.State || a.Node != b.Node || a.Attempt != b.Attempt) {
				found = append(found, Violation{
					Rule: 1, Job: j.id, What: "two last words on it contradict each other", Events: []Event{first, w},
				})
				break
			}
		}
	}
	return found
}

// lives is the first last word of each of the job's lives: of a job that was
// never retried, one.
func lives(words []Event) []Event {
	var first []Event
	for _, w := range words {
		known := slices.ContainsFunc(first, func(f Event) bool { return f.Record.Retries == w.Record.Retries })
		if !known {
			first = append(first, w)
		}
	}
	return first
}

// stuck says what is wrong with a record that lives at the end, or "".
func (m *model) stuck(j *job) string {
	r := j.live
	switch {
	case r.State.Ended():
		said := slices.ContainsFunc(j.words, func(w Event) bool { return w.Record.Retries == r.Retries })
		if !said {
			return fmt.Sprintf("its record says %s at the end, and no last word was said", r.State)
		}
	case r.State == messages.StateRunning && j.isRun():
		there := slices.ContainsFunc(j.runs, func(x *run) bool {
			return x.node() == r.Node && x.attempt() == r.Attempt && (x.end == nil || j.waits(x))
		})
		if !there && m.away.backAtEnd(r.Node, m.end) {
			return fmt.Sprintf("its record says that attempt %d runs on %s at the end, and no such container does", r.Attempt, r.Node)
		}
	case r.State != messages.StateRunning && r.Reason == "":
		return fmt.Sprintf("it is %s at the end, without a reason", r.State)
	}
	return ""
}

// rejected tells whether the job was answered with a rejection.
func rejected(j *job) bool {
	return slices.ContainsFunc(j.outcomes, func(e Event) bool { return e.Outcome.Status == messages.StatusRejected })
}

// true is rule 1 as well: what a last word says did happen.
func (m *model) true(j *job) []Violation {
	var found []Violation
	for _, w := range lives(j.words) {
		if what := untrue(j, w.Record); what != "" {
			found = append(found, Violation{Rule: 1, Job: j.id, What: what, Events: append([]Event{w}, j.facts()...)})
		}
	}
	return found
}

// facts are the job's containers and execs, to show with a violation.
func (j *job) facts() []Event {
	all := slices.Clone(j.execs)
	for _, r := range j.runs {
		all = append(all, r.events()...)
	}
	return all
}

// untrue is why a last word is not true, or "".
func untrue(j *job, r *messages.Record) string {
	if j.body == nil {
		return ""
	}
	code := (*int)(nil)
	if r.Outcome != nil && r.Outcome.Result != nil {
		code = r.Outcome.Result.ExitCode
	}
	exited := r.State == messages.StateFailed && code != nil
	switch {
	case r.State != messages.StateCompleted && !exited:
		return ""
	case j.body.Op == messages.OpExec && len(j.execs) == 0:
		return fmt.Sprintf("its last word is %s, and no exec was carried out", r.State)
	case j.body.Op != messages.OpRun:
		return ""
	}
	for _, x := range j.runs {
		if x.node() != r.Node || x.attempt() != r.Attempt || x.end == nil {
			continue
		}
		got := x.end.ExitCode
		switch {
		case j.kind() == messages.KindService || got == nil:
			return ""
		case exited && *got == *code, !exited && *got == 0:
			return ""
		}
	}
	return fmt.Sprintf("its last word is %s by attempt %d on %s, and no container of that attempt ended so", r.State, r.Attempt, r.Node)
}

// unasked is rule 1 as well: no more lives of a job end cancelled than it was
// asked to end.
func (m *model) unasked(j *job) []Violation {
	var cancelled []Event
	for _, w := range lives(j.words) {
		if w.Record.State == messages.StateCancelled {
			cancelled = append(cancelled, w)
		}
	}
	if len(j.submitted) == 0 || len(cancelled) <= len(j.cancels) {
		return nil
	}
	return []Violation{{
		Rule: 1, Job: j.id, Events: append(slices.Clone(j.cancels), cancelled...),
		What: fmt.Sprintf("%d lives of it were cancelled, and it was asked to end %d times", len(cancelled), len(j.cancels)),
	}}
}
