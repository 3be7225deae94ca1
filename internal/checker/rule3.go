package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// repeated is rule 3: nothing is done twice.
func (m *model) repeated(j *job) []Violation {
	if len(j.execs) > 0 {
		return m.repeatedExec(j)
	}
	if !j.isRun() {
		return nil // what `create` makes is started as often as somebody asks
	}
	found := m.sameAttempt(j)
	say := func(format string, args ...any) {
		found = append(found, Violation{Rule: 3, Job: j.id, What: fmt.Sprintf(format, args...), Events: j.facts()})
	}
	if !j.isTask() || len(j.nodes) > 1 {
		return found
	}
	rounds := 1 + len(j.retries)
	starts, policy := len(j.containers())-m.unknown(j), j.policy()
	if starts > rounds && !m.mayRepeat(j) {
		say("it may not be done twice, and was started %d times", starts)
	}
	if limit := policy.StartLimit(); starts > rounds*limit {
		say("it was started %d times; its limit is %d", starts, limit)
	}
	return found
}

// unknown counts the starts of which no placer could know: the node went away,
// with its job, before it was heard that it had accepted it, or took the command
// up when it was back. The record counts fewer starts than there were, and the
// job is placed anew as one that was not started: this is what `assigned` means.
func (m *model) unknown(j *job) int {
	var starts []Event
	for _, c := range j.containers() {
		starts = append(starts, c.start)
	}
	return m.unknownOf(j, starts)
}

// unknownOf is unknown for a job's starts, or execs.
func (m *model) unknownOf(j *job, starts []Event) int {
	if len(j.words) == 0 {
		return 0
	}
	most := min(len(starts)-j.words[len(j.words)-1].Record.Starts, len(starts)-1)
	n := 0
	for _, e := range starts {
		if n < most && m.mayBeUnknown(e) {
			n++
		}
	}
	return n
}

// mayBeUnknown tells whether a start, or an exec, may be one of which no placer
// could know.
func (m *model) mayBeUnknown(e Event) bool {
	return m.away.wasAway(e.Node, e.At.Add(-unknownWithin), e.At.Add(unknownWithin))
}

// unknownWithin is how long an acceptance may stay unwritten: a placer may die
// with it, and another one asks again only when the record has stood still.
const unknownWithin = 30 * time.Second

// sameAttempt finds attempts that started more than one container, or one more
// than once. A job that was given directly to several nodes has a first attempt
// on each.
func (m *model) sameAttempt(j *job) []Violation {
	type key struct {
		attempt uint64
		node    string
	}
	byAttempt := map[key][]*run{}
	var order []key
	for _, r := range j.runs {
		k := key{attempt: r.attempt()}
		if len(j.nodes) > 1 {
			k.node = r.node()
		}
		if byAttempt[k] == nil {
			order = append(order, k)
		}
		byAttempt[k] = append(byAttempt[k], r)
	}
	var found []Violation
	for _, k := range order {
		runs := byAttempt[k]
		if len(runs) < 2 || m.mayStartAgain(j, runs) {
			continue
		}
		var events []Event
		for _, r := range runs {
			events = append(events, r.events()...)
		}
		found = append(found, Violation{
			Rule: 3, Job: j.id, Events: events,
			What: fmt.Sprintf("its attempt %d was started %d times", k.attempt, len(runs)),
		})
	}
	return found
}

// mayRepeat tells whether a task may be started in more than one attempt.
func (m *model) mayRepeat(j *job) bool {
	p := j.policy()
	if p.Idempotent || p.OnNodeLoss == messages.LossReschedule {
		return true
	}
	if !p.RetryExit {
		return false
	}
	// Each start but the last has to have ended badly, but those of which no
	// placer could know.
	well, all := 0, j.containers()
	for _, r := range all[:len(all)-1] {
		if r.end != nil && (r.end.ExitCode == nil || *r.end.ExitCode != 0) {
			continue
		}
		if !m.mayBeUnknown(r.start) {
			return false
		}
		well++
	}
	return well <= m.unknown(j)
}

// repeatedExec finds execs that were carried out more than once.
func (m *model) repeatedExec(j *job) []Violation {
	p := j.policy()
	if p.Idempotent || p.OnNodeLoss == messages.LossReschedule || len(j.execs)-m.unknownOf(j, j.execs) <= 1+len(j.retries) {
		return nil
	}
	return []Violation{{
		Rule: 3, Job: j.id, Events: j.execs,
		What: fmt.Sprintf("its exec may not be done twice, and was carried out %d times", len(j.execs)),
	}}
}

// late is rule 3 as well: nothing is started after the end.
func (m *model) late(j *job) []Violation {
	if !j.isRun() {
		return nil
	}
	var found []Violation
	for _, r := range j.runs {
		begun := r.start.At.Add(-m.cfg.Skew)
		for _, w := range lives(j.words) {
			if w.At.Before(begun) && !m.mayFollow(j, r, w) {
				found = append(found, Violation{
					Rule: 3, Job: j.id, Events: append([]Event{w}, r.events()...),
					What: fmt.Sprintf("attempt %d was started after its last word", r.attempt()),
				})
			}
		}
		confirmed := slices.IndexFunc(j.outcomes, func(e Event) bool {
			o := e.Outcome
			return o.Status == messages.StatusRevoked && o.Node == r.node() && o.Attempt >= r.attempt() && e.At.Before(begun)
		})
		if confirmed >= 0 {
			found = append(found, Violation{
				Rule: 3, Job: j.id, Events: append([]Event{j.outcomes[confirmed]}, r.events()...),
				What: fmt.Sprintf("attempt %d was started on %s, which had confirmed its revoke", r.attempt(), r.node()),
			})
		}
	}
	return found
}

// mayFollow tells whether a container may be started after a last word: of the
// job's next life, of the second of several nodes to which it was given directly,
// or of an attempt whose node had not been heard since, and could not be told:
// perhaps a later one than the word's, handed over when it was about to be said.
func (m *model) mayFollow(j *job, r *run, w Event) bool {
	said := w.Record
	if len(j.nodes) > 1 && r.node() != said.Node {
		return true // it was given to that node as well, which knows of no other
	}
	if r.attempt() > said.LastAttempt() && len(j.retries) > said.Retries {
		return true
	}
	if r.attempt() == said.Attempt && r.node() == said.Node && said.State != messages.StateLost && !owes(said, r) {
		return false
	}
	return m.away.wasAway(r.node(), r.start.At.Add(-m.cfg.Grace), r.start.At) &&
		m.away.heard(r.node(), w.At, r.start.At) <= m.cfg.Grace
}

// owes tells whether a last word was said while a node had still to be told to
// let go of an attempt: the node was lost.
func owes(said *messages.Record, r *run) bool {
	return slices.ContainsFunc(said.Fences, func(f messages.Fence) bool {
		return f.Node == r.node() && f.Attempt >= r.attempt()
	})
}
