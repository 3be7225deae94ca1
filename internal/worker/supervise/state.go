package supervise

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Record is what has to survive the worker. It is in the attempt's journal.
type Record struct {
	// Began and Ended are of the run that was dealt with last, by the runtime's
	// clock: a container that shows others has been started since.
	Began time.Time `json:"began,omitzero"`
	Ended time.Time `json:"ended,omitzero"`

	Restarts int       `json:"restarts,omitzero"` // by the policy, in this attempt
	InARow   int       `json:"in_a_row,omitzero"` // of them, since a run lasted long enough
	Due      time.Time `json:"due,omitzero"`      // when it is started again; zero: it does not wait for that

	InHand  bool `json:"in_hand,omitzero"` // an op is stopping or starting it; what happens meanwhile is its doing
	Stopped bool `json:"stopped,omitzero"` // somebody has asked for its end

	// Failure is why the container is given up, and stopped, while it runs yet.
	Failure *messages.Error `json:"failure,omitzero"`

	Said    bool      `json:"said,omitzero"`    // that the service runs
	Healthy bool      `json:"healthy,omitzero"` // as said last
	SaidAt  time.Time `json:"said_at,omitzero"`
}

// Waiting tells whether the container has ended and is to be started again.
func (r *Record) Waiting() bool { return !r.Due.IsZero() }

// SameRun tells whether what a runtime shows of a container is the run that was
// dealt with last. Of an end it may have forgotten the time.
func (r *Record) SameRun(began, ended time.Time) bool {
	return began.Equal(r.Began) && (ended.IsZero() || r.Ended.IsZero() || ended.Equal(r.Ended))
}

// Differs tells whether a later record has to be journaled. A start need not
// be: the runtime shows it.
func (r *Record) Differs(later *Record) bool {
	return r.InHand != later.InHand || r.Stopped != later.Stopped || (r.Failure == nil) != (later.Failure == nil) ||
		r.Said != later.Said || r.Healthy != later.Healthy || later.Waiting() && !later.Due.Equal(r.Due)
}

// Status is what the checks of a running container have come to.
type Status string

// The statuses.
const (
	Starting  Status = "starting"
	Healthy   Status = "healthy"
	Unhealthy Status = "unhealthy"
)

// State is how things stand. The zero State is that of a container that was just
// made; a later worker begins with Resume.
type State struct {
	Record

	Up      bool      // the container runs
	Since   time.Time // when it was seen to
	Status  Status    // "": it is not checked
	Failing int       // checks that have failed in a row
	Output  string    // of the last check
	CheckAt time.Time // the next check; zero: none is due, or one is under way
	Left    bool      // the op that has it in hand was cut short, with the worker before
	Over    bool      // there is nothing more to supervise
}

// Resume is how things stand for a worker that takes the attempt up.
func Resume(r Record) State { return State{Record: r, Left: r.InHand, Over: r.Failure != nil} }

// idle tells whether nobody has the container in hand.
func (s *State) idle() bool { return !s.InHand || s.Left }

// Health is what is known of the container's health; nil when it is not checked.
func (s *State) Health() *messages.HealthStatus {
	if s.Status == "" {
		return nil
	}
	return &messages.HealthStatus{Status: string(s.Status), FailingStreak: s.Failing, LastOutput: s.Output}
}
