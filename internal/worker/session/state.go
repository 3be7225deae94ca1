package session

import (
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The times of a session.
const (
	Silence = 15 * time.Second // of the asker; then the session ends
	Gap     = 5 * time.Second  // for which a piece of input may be missing
	Account = time.Second      // for which output waits for a first credit
)

// State is where a session stands.
type State struct {
	input input

	begun  time.Time
	heard  time.Time
	gapped time.Time // since when a piece is missing; zero: none is
	given  bool      // the asker has given credit, and wants it kept to
	credit int64     // bytes
}

// New is a session that begins now.
func New(now time.Time) *State { return &State{begun: now, heard: now} }

// Hear notes that the asker has said something, whatever it was.
func (s *State) Hear(now time.Time) { s.heard = now }

// Put takes in a piece of input. Number 0 says that the asker does not count.
// An error ends the session: some input is lost.
func (s *State) Put(number uint64, p Piece, now time.Time) error {
	err := s.input.put(number, p)
	switch {
	case !s.input.gap():
		s.gapped = time.Time{}
	case s.gapped.IsZero():
		s.gapped = now
	}
	return err
}

// Take is the piece of input to be written next, in order; ok is false while
// none is due.
func (s *State) Take() (p Piece, ok bool) { return s.input.take() }

// Give lets more output go; 0 bytes change nothing.
func (s *State) Give(bytes int64) {
	if bytes <= 0 {
		return
	}
	s.given = true
	if s.credit += bytes; s.credit < 0 {
		s.credit = 1<<63 - 1
	}
}

// Spend is how many of the bytes that are ready may be sent now; they count as
// sent. An asker that has given no credit when the session is Account old is
// taken for one that does not want to.
func (s *State) Spend(ready int, now time.Time) int {
	if !s.given {
		if now.Before(s.FreeAt()) {
			return 0
		}
		return ready
	}
	n := int(min(int64(ready), s.credit))
	s.credit -= int64(n)
	return n
}

// FreeAt is when output goes without credit, if none has been given by then.
func (s *State) FreeAt() time.Time { return s.begun.Add(Account) }

// Until is when the session ends unless more is heard.
func (s *State) Until() time.Time {
	until := s.heard.Add(Silence)
	if gap := s.gapped.Add(Gap); !s.gapped.IsZero() && gap.Before(until) {
		return gap
	}
	return until
}

// Over is why the session has to end by now, or nil.
func (s *State) Over(now time.Time) error {
	switch {
	case now.Before(s.Until()):
		return nil
	case now.Before(s.heard.Add(Silence)):
		return &messages.Error{Code: messages.CodeDataLoss, Message: fmt.Sprintf(
			"piece %d of the input has been missing for %s, and later ones are here", s.input.next+1, Gap)}
	}
	return &messages.Error{Code: messages.CodeDeadlineExceeded, Message: fmt.Sprintf(
		"nothing was heard of the asker for %s; want a credit, if only of 0 bytes, every 5s", Silence)}
}
