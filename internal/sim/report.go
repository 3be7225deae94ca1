package sim

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/internal/checker"
)

// Explain says what went wrong in the run, how to repeat it, and what happened
// to the first job for which something did.
func (r *Result) Explain(w io.Writer) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	say("seed %d failed. Again: %s", r.Config.Seed, r.Config.Repeat())
	if r.Unrest != "" {
		say("%s after everything was mended: %s", r.Config.Settle, r.Unrest)
	}
	for _, v := range r.Verdict.Violations {
		say("%s", v)
	}
	if job := r.firstJob(); job != "" {
		say("what happened to %s:", job)
		for _, line := range r.trace(job) {
			say("  %s", line)
		}
	}
}

// firstJob is the first job that something is wrong with.
func (r *Result) firstJob() string {
	for _, v := range r.Verdict.Violations {
		if v.Job != "" {
			return v.Job
		}
	}
	words := strings.FieldsFunc(r.Unrest, func(c rune) bool { return c == ' ' || c == ',' })
	if i := slices.Index(words, "job"); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return ""
}

// trace is everything about a job in the order in which it happened, and what
// went wrong around it.
func (r *Result) trace(job string) []string {
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	nodes := map[string]bool{}
	for _, e := range r.History {
		if of(e) == job && e.Node != "" {
			nodes[e.Node] = true
		}
	}
	for _, e := range r.History {
		if of(e) == job || of(e) == "" && e.Kind != checker.End && (e.Node == "" || nodes[e.Node] || e.Kind == checker.PlacerAway || e.Kind == checker.PlacerBack) {
			lines = append(lines, line{e.At, e.String()[len("15:04:05.000 "):]})
		}
	}
	for _, l := range r.book.about(job) {
		lines = append(lines, line{l.at, "  " + l.String()})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	var texts []string
	for _, l := range lines {
		texts = append(texts, l.at.UTC().Format("15:04:05.000000 ")+l.text)
	}
	return texts
}

// of is the job an event is about, or "".
func of(e checker.Event) string {
	switch {
	case e.Outcome != nil:
		return e.Outcome.Job
	case e.Record != nil:
		return e.Record.Job.ID
	}
	return e.Job
}
