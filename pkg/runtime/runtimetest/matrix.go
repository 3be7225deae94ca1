package runtimetest

import (
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A place is where a container stands in its life, as far as it decides what
// the operations answer.
type place int

const (
	same    place = iota // in an answer: where it stood
	absent               // there is none, or none any more
	created              // and not started
	running
	paused
	exited
	dying // a deadly signal was sent: it still runs, or it has exited
)

func (p place) String() string {
	return [...]string{"same", "absent", "created", "running", "paused", "exited", "dying"}[p]
}

// An answer is what a call gives, and where it leaves the container.
type answer struct {
	code  messages.Code // "": it is done
	to    place
	lasts bool // it does not return before its context ends
	old   bool // what is absent may be known still: then it is done
}

// A row is a call and what it answers for a container in each place.
type row struct {
	op, how                                  string // how is "", or names one of several calls of the operation
	created, running, paused, exited, absent answer
}

func (r row) name() string {
	if r.how == "" {
		return r.op
	}
	return r.op + "_" + r.how
}

// matrix has a row for each call of an operation that takes a container: what
// the port promises, in one place. The suite's cases follow from it; see
// matrixCases and concurrentCases.
func matrix() []row {
	done, lasts := answer{}, answer{lasts: true}
	to := func(p place) answer { return answer{to: p} }
	missing := answer{code: messages.CodeNotFound}
	refused := answer{code: messages.CodeFailedPrecondition}
	exists := answer{code: messages.CodeAlreadyExists}
	old := answer{code: messages.CodeNotFound, old: true}
	return []row{
		//                   created      running      paused       exited       absent
		{"Create", "", exists, exists, exists, exists, to(created)},
		{"Start", "", to(running), refused, refused, to(running), missing},
		{"Stop", "", done, to(exited), to(exited), done, missing},
		{"Kill", "", refused, to(dying), to(dying), refused, missing},
		{"Remove", "", to(absent), refused, refused, to(absent), missing},
		{"Remove", "by_force", to(absent), to(absent), to(absent), to(absent), missing},
		{"Rename", "", done, done, done, done, missing},
		{"Pause", "", refused, to(paused), refused, refused, missing},
		{"Unpause", "", refused, refused, to(running), refused, missing},
		{"UpdateResources", "", done, done, done, done, missing},
		{"SyncVolumes", "", done, done, done, done, missing},

		{"State", "", done, done, done, done, missing},
		{"Inspect", "", done, done, done, done, missing},
		{"Stats", "", refused, done, done, refused, missing},
		{"StatsStream", "", refused, done, done, refused, missing},
		{"PID", "", done, done, done, done, missing},
		{"IP", "", done, done, done, done, missing},
		{"PortOverride", "", done, done, done, done, missing},
		{"PortMappings", "", done, done, done, done, missing},
		{"NamespaceID", "", done, done, done, done, missing},
		{"Top", "", refused, done, done, refused, missing},
		{"Changes", "", done, done, done, done, missing},

		{"Wait", "", refused, lasts, lasts, done, missing},
		{"WaitOutcome", "", refused, lasts, lasts, done, missing},
		{"WaitOutcome", "next_exit", lasts, lasts, lasts, lasts, missing},
		{"WaitOutcome", "removed", lasts, lasts, lasts, lasts, missing},
		{"Logs", "", done, done, done, done, old},
		{"Logs", "followed", lasts, lasts, lasts, done, old},
		{"Exec", "", refused, done, refused, refused, missing},
		{"ExecStream", "", refused, done, refused, refused, missing},
		{"ExecSession", "", refused, done, refused, refused, missing},
		{"Probe", "", refused, done, refused, refused, missing},

		{"CopyIn", "", done, done, done, done, missing},
		{"CopyOut", "", done, done, done, done, missing},
		{"Export", "", done, done, done, done, missing},
		{"Commit", "", done, done, done, done, missing},
	}
}

// in is what the row says of a place.
func (r row) in(p place) answer {
	switch p {
	case created:
		return r.created
	case running:
		return r.running
	case paused:
		return r.paused
	case exited:
		return r.exited
	}
	return r.absent
}

// outcomes are the answers that the call may give in a place, each with the
// place where it then stands.
func (r row) outcomes(p place) []answer {
	if p != dying {
		a := r.in(p)
		if a.to == same {
			a.to = p
		}
		if a.old {
			return []answer{a, {to: p}}
		}
		return []answer{a}
	}
	var all []answer
	for _, was := range []place{running, paused, exited} {
		for _, a := range r.outcomes(was) {
			if a.to == was || was != exited && (a.to == running || a.to == paused) {
				a.to = dying // whatever was done to it; that it has ended may show a moment later
			}
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// rows are those whose operations the runtime has.
func (s *scene) rows() []row {
	return slices.DeleteFunc(matrix(), func(r row) bool { return s.lacks(r.op) })
}

// moves tells whether the call leaves a container of that place in another.
func (r row) moves(p place) bool { return r.in(p).to != same }
