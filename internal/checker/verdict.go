package checker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Config says how exact the rules are to be.
type Config struct {
	// Grace is how long a container that has been superseded may run on while
	// its node can be heard without a break. It covers the time a placer takes
	// to notice, the revoke, and the container's own grace. Default: 30 s.
	Grace time.Duration
	// Skew is how far the instants of different sources may be apart. Default:
	// 0, for histories written by one process on one clock.
	Skew time.Duration
	// Placers is how many there are. While all are away at once nobody can
	// fence a container. Default: 0, their absences do not count.
	Placers int
}

// Verdict is what the checker found.
type Verdict struct {
	Violations []Violation
	Summary    Summary
}

// Violation is one rule broken, by one job.
type Violation struct {
	Rule   int // the guarantee; 0: the history itself is at fault
	Job    string
	What   string
	Events []Event // that show it
}

// Check says whether the guarantees held in a history, which it does not
// change. It is a pure function of its arguments.
func Check(history []Event, cfg Config) Verdict {
	if cfg.Grace == 0 {
		cfg.Grace = 30 * time.Second
	}
	m := newModel(history, cfg)
	found := slices.Concat(m.problems, m.overtaken())
	for _, j := range m.jobs {
		found = slices.Concat(found, m.lost(j), m.true(j), m.unasked(j), m.current(j), m.superseded(j), m.named(j),
			m.repeated(j), m.late(j), m.killed(j), m.taken(j), m.unheard(j))
	}
	slices.SortStableFunc(found, func(a, b Violation) int { return a.Rule - b.Rule })
	return Verdict{Violations: found, Summary: m.summarise(found)}
}

// OK tells whether every guarantee held.
func (v Verdict) OK() bool { return len(v.Violations) == 0 }

// Broken tells whether a rule was broken.
func (v Verdict) Broken(rule int) bool {
	return slices.ContainsFunc(v.Violations, func(x Violation) bool { return x.Rule == rule })
}

// String is the verdict for people: every violation with its events, and the
// summary.
func (v Verdict) String() string {
	var b strings.Builder
	for _, x := range v.Violations {
		fmt.Fprintln(&b, x)
	}
	if v.OK() {
		b.WriteString("guarantees 1 to 4 held\n")
	} else {
		fmt.Fprintf(&b, "%d violations\n", len(v.Violations))
	}
	b.WriteString(v.Summary.String())
	return b.String()
}

// mostShown is how many of a violation's events are printed.
const mostShown = 12

// String is the rule, the job and what is wrong, and each event on a line.
func (x Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rule %d", x.Rule)
	if x.Job != "" {
		fmt.Fprintf(&b, ", job %s", x.Job)
	}
	fmt.Fprintf(&b, ": %s", x.What)
	for i, e := range x.Events {
		if i == mostShown {
			fmt.Fprintf(&b, "\n    … %d more", len(x.Events)-i)
			break
		}
		fmt.Fprintf(&b, "\n    %s", e)
	}
	return b.String()
}

// String is the event in short, for people.
func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.At.UTC().Format("15:04:05.000"), e.Kind)
	switch {
	case e.Outcome != nil:
		o := e.Outcome
		fmt.Fprintf(&b, " %s/%d of %s: %s (seq %d)", o.Job, o.Attempt, o.Node, o.Status, o.Seq)
	case e.Record != nil:
		r := e.Record
		fmt.Fprintf(&b, " %s/%d on %q: %s, %d starts, retries %d (sequence %d)", r.Job.ID, r.Attempt, r.Node, r.State, r.Starts, r.Retries, e.Sequence)
	case e.Attempt != 0:
		fmt.Fprintf(&b, " %s/%d", e.Job, e.Attempt)
	case e.Job != "":
		fmt.Fprintf(&b, " %s", e.Job)
	}
	for _, field := range []struct{ name, value string }{
		{"node", e.Node}, {"container", e.Container}, {"cause", e.Cause}, {"note", e.Note},
	} {
		if field.value != "" {
			fmt.Fprintf(&b, " %s=%s", field.name, field.value)
		}
	}
	if e.ExitCode != nil {
		fmt.Fprintf(&b, " exit_code=%d", *e.ExitCode)
	}
	if e.Body != nil {
		policy, err := json.Marshal(e.Body.Policy)
		if err == nil {
			fmt.Fprintf(&b, " op=%s policy=%s", e.Body.Op, policy)
		}
	}
	return b.String()
}
