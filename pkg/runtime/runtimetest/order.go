package runtimetest

import (
	"fmt"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A happening is a call that was made beside others on one container. Its times
// count the beginnings and ends of all of them.
type happening struct {
	row          row
	code         messages.Code
	began, ended int64
}

func (h happening) String() string {
	return fmt.Sprintf("%s (%d-%d): %s", h.row.name(), h.began, h.ended, orDone(h.code))
}

func list(all []happening) string {
	lines := make([]string, len(all))
	for i, h := range all {
		lines[i] = h.String()
	}
	return strings.Join(lines, "\n\t")
}

// explained tells whether some order of the calls, one that puts none before a
// call that had ended when it began, gives what each of them answered by the
// matrix, and leaves the container as it stands. A removal by force is two
// things, the second maybe too late: it ends what runs, and others may find it
// so before it removes it, or remove it first.
func explained(from place, all []happening, stands place) bool {
	type point struct {
		done  uint // a bit for each call
		where place
	}
	everything := uint(1)<<len(all) - 1
	tried := map[point]bool{}
	var reach func(point) bool
	reach = func(at point) bool {
		if tried[at] {
			return false
		}
		tried[at] = true
		if at.done == everything {
			return at.where.looks(stands)
		}
		for i, h := range all {
			if at.done&(1<<i) != 0 || !mayBeNext(all, at.done, i) {
				continue
			}
			if h.row.endsFirst(at.where) && reach(point{at.done, exited}) {
				return true
			}
			for _, a := range h.row.outcomes(at.where) {
				if a.code == h.code && reach(point{at.done | 1<<i, a.to}) {
					return true
				}
			}
		}
		return false
	}
	return reach(point{0, from})
}

// endsFirst tells whether the call may end a container of that place before it
// does what it is for.
func (r row) endsFirst(p place) bool {
	return r.op == "Remove" && r.how == "by_force" && (p == running || p == paused || p == dying)
}

// mayBeNext tells whether none of the calls that are still to be put in order
// had ended when call i began.
func mayBeNext(all []happening, done uint, i int) bool {
	for j, h := range all {
		if done&(1<<j) == 0 && h.ended < all[i].began {
			return false
		}
	}
	return true
}
