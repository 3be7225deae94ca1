package memjournal_test

import (
	"errors"
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

// A write that the crash finds between the journal and the disk is lost, and
// the one who waits for it hears so.
func TestACrashForgetsWhatIsNotSynced(t *testing.T) {
	j := memjournal.New()
	if err := j.Write(journaltest.Attempt("job", 1), journaltest.Outcome("job", 1, 1)); err != nil {
		t.Fatal(err)
	}
	handed, synced, result := make(chan struct{}), make(chan struct{}), make(chan error)
	j.OnSync(func() { close(handed); <-synced })
	go func() { result <- j.Write(journaltest.Attempt("job", 2), journaltest.Outcome("job", 2, 1)) }()
	<-handed
	if a, err := j.Attempt("job", 0); err != nil || a.Job.Attempt != 1 {
		t.Errorf("before it is synced attempt %d is read (%v)", a.Job.Attempt, err)
	}
	j.Crash()
	j.OnSync(nil)
	if err := j.Set(journal.Settings{Draining: true}); !errors.Is(err, memjournal.ErrCrashed) {
		t.Errorf("a dead worker writes: %v", err)
	}
	j.Reopen()
	close(synced)
	if err := <-result; !errors.Is(err, memjournal.ErrCrashed) {
		t.Errorf("the write that was cut off: %v", err)
	}
	if a, err := j.Attempt("job", 0); err != nil || a.Job.Attempt != 1 || j.Opened() != 2 {
		t.Errorf("after the crash the newest is attempt %d (%v), opened %d times", a.Job.Attempt, err, j.Opened())
	}
	if q, err := j.Queue(9); err != nil || len(q) != 1 {
		t.Errorf("the queue has %d outcomes (%v)", len(q), err)
	}
	if s, err := j.Settings(); err != nil || s.Draining {
		t.Errorf("the settings are %+v (%v)", s, err)
	}
	if err := j.Write(journaltest.Attempt("job", 3)); err != nil {
		t.Errorf("the next worker cannot write: %v", err)
	}
}
