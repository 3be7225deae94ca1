package sim

import (
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// journalPort is a worker's journal: durable once a write has returned. What a
// crash finds on its way to the disk is lost.
type journalPort struct {
	journal.Journal
	l *life
}

// syncs lets the disk take its time, in which the worker may crash.
func (n *node) syncs() {
	if k := n.count("syncs"); n.s.faulty() && n.s.cfg.Faults[Crash] && n.s.dice.chance(4, "sync", n.name, k) {
		time.Sleep(n.s.dice.upTo(30*time.Millisecond, "sync for", n.name, k))
	}
}

var _ journal.Journal = journalPort{}

// ID implements journal.Journal.
func (j journalPort) ID() string { return know(j.l, "Journal.ID", j.Journal.ID) }

// Opened implements journal.Journal.
func (j journalPort) Opened() uint64 { return know(j.l, "Journal.Opened", j.Journal.Opened) }

// Write implements journal.Journal.
func (j journalPort) Write(a journal.Attempt, publish ...messages.Outcome) error {
	return j.l.do("Journal.Write", func() error { return j.Journal.Write(a, publish...) })
}

// Attempt implements journal.Journal.
func (j journalPort) Attempt(job string, attempt uint64) (journal.Attempt, error) {
	return ask(j.l, "Journal.Attempt", func() (journal.Attempt, error) { return j.Journal.Attempt(job, attempt) })
}

// Open implements journal.Journal.
func (j journalPort) Open() ([]journal.Attempt, error) {
	return ask(j.l, "Journal.Open", j.Journal.Open)
}

// Queue implements journal.Journal.
func (j journalPort) Queue(limit int) ([]journal.Queued, error) {
	return ask(j.l, "Journal.Queue", func() ([]journal.Queued, error) { return j.Journal.Queue(limit) })
}

// Sent implements journal.Journal.
func (j journalPort) Sent(seq uint64) error {
	return j.l.do("Journal.Sent", func() error { return j.Journal.Sent(seq) })
}

// Settings implements journal.Journal.
func (j journalPort) Settings() (journal.Settings, error) {
	return ask(j.l, "Journal.Settings", j.Journal.Settings)
}

// Set implements journal.Journal.
func (j journalPort) Set(s journal.Settings) error {
	return j.l.do("Journal.Set", func() error { return j.Journal.Set(s) })
}

// Forget implements journal.Journal.
func (j journalPort) Forget(before time.Time) (int, error) {
	return ask(j.l, "Journal.Forget", func() (int, error) { return j.Journal.Forget(before) })
}

// Close implements journal.Journal.
func (j journalPort) Close() error { return j.l.do("Journal.Close", j.Journal.Close) }
