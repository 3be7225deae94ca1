package checker

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Summary is a run in figures.
type Summary struct {
	Jobs     int                    // that were acknowledged
	Ended    map[messages.State]int // by their last word
	Live     int                    // at the end
	Rejected int
	Starts   int // of containers
	Execs    int
	Moves    int // starts on another node than the start before

	NodesAway, PlacersAway, BusAway int // how often

	// Repeats are submissions of a job that had been submitted, outcomes that
	// had been published, and last words that had been said. Absorbed are those
	// that had no second effect.
	Repeats, Absorbed int

	// Replacements are the times from a node's going away to the start of what
	// replaces a container that it had, in rising order.
	Replacements []time.Duration
}

func (m *model) summarise(found []Violation) Summary {
	s := Summary{Ended: map[messages.State]int{}}
	repeated := map[string]bool{}
	for _, v := range found {
		if v.Rule == 3 {
			repeated[v.Job] = true
		}
	}
	for _, j := range m.jobs {
		if len(j.acknowledged) > 0 {
			s.Jobs++
		}
		switch n := len(j.words); {
		case j.live != nil && !j.live.State.Ended():
			s.Live++
		case n > 0:
			s.Ended[j.words[n-1].Record.State]++
		case rejected(j):
			s.Rejected++
		}
		s.Starts += len(j.runs)
		s.Execs += len(j.execs)
		repeats := max(0, len(j.submitted)-1) + sameOutcomes(j) + len(j.words) - len(lives(j.words))
		s.Repeats += repeats
		if !repeated[j.id] {
			s.Absorbed += repeats
		}
		m.moves(j, &s)
	}
	for _, spans := range m.away.nodes {
		s.NodesAway += len(spans)
	}
	s.BusAway, s.PlacersAway = len(m.away.bus), m.placersAway
	slices.Sort(s.Replacements)
	return s
}

// sameOutcomes counts the outcomes that are in the stream again.
func sameOutcomes(j *job) int {
	said := map[string]bool{}
	again := 0
	for _, e := range j.outcomes {
		if id := e.Outcome.MsgID(); e.Outcome.Node != messages.PlacerNode {
			if said[id] {
				again++
			}
			said[id] = true
		}
	}
	return again
}

// moves counts the starts on another node, and how long each took since the
// node before went away with the container.
func (m *model) moves(j *job, s *Summary) {
	for i := 1; i < len(j.runs); i++ {
		from, to := j.runs[i-1], j.runs[i]
		if from.node() == to.node() {
			continue
		}
		s.Moves++
		for _, away := range slices.Backward(m.away.nodes[from.node()]) {
			if !away.from.After(to.start.At) && !away.from.Before(from.start.At) && !from.until.Before(away.from) {
				s.Replacements = append(s.Replacements, to.start.At.Sub(away.from))
				break
			}
		}
	}
}

// Replaced is the time to replacement that the given share of the replacements
// did not exceed: 0.5 is the median, 1 the longest. It is 0 without any.
func (s Summary) Replaced(share float64) time.Duration {
	if len(s.Replacements) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(s.Replacements)))) // the nearest, from 1
	return s.Replacements[min(max(rank, 1), len(s.Replacements))-1]
}

// String is the figures, for people.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "jobs          %d acknowledged:", s.Jobs)
	for _, state := range slices.Sorted(maps.Keys(s.Ended)) {
		fmt.Fprintf(&b, " %d %s,", s.Ended[state], state)
	}
	fmt.Fprintf(&b, " %d live, %d rejected\n", s.Live, s.Rejected)
	fmt.Fprintf(&b, "done          %d containers started, %d execs, %d moves to another node\n", s.Starts, s.Execs, s.Moves)
	fmt.Fprintf(&b, "faults        nodes away %d times, placers %d, the bus %d\n", s.NodesAway, s.PlacersAway, s.BusAway)
	fmt.Fprintf(&b, "repeats       %d seen, %d absorbed\n", s.Repeats, s.Absorbed)
	if n := len(s.Replacements); n > 0 {
		fmt.Fprintf(&b, "replacement   %d, p50 %s, longest %s after the node went away\n",
			n, s.Replaced(0.5).Round(time.Millisecond), s.Replaced(1).Round(time.Millisecond))
	}
	return b.String()
}
