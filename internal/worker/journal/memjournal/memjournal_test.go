package memjournal_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/journal/journaltest"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
)

// store keeps one journal, as the process of a worker does.
type store struct{ j *memjournal.Journal }

func (s *store) Open() (journal.Journal, error) {
	if s.j == nil {
		s.j = memjournal.New()
	} else {
		s.j.Reopen()
	}
	return s.j, nil
}

func TestJournal(t *testing.T) {
	for name, holds := range journaltest.Cases() {
		t.Run(name, func(t *testing.T) { holds(t, &store{}) })
	}
}
