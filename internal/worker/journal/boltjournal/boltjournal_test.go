package boltjournal

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/journal/journaltest"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// store is a directory.
type store string

func (s store) Open() (journal.Journal, error) { return Open(string(s)) }

func open(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func TestJournal(t *testing.T) {
	for name, holds := range journaltest.Cases() {
		t.Run(name, func(t *testing.T) { holds(t, store(t.TempDir())) })
	}
}

// Writes that come while one is being committed share the next transaction.
func TestConcurrentWritesShareACommit(t *testing.T) {
	j := open(t, t.TempDir())
	const writers = 100
	begin, entered := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() { // holds the committer until all the others wait
		if err := j.commit.do(func(*bolt.Tx) error {
			once.Do(func() { close(entered) })
			<-begin
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-entered
	before := txID(t, j)
	for n := range uint64(writers) {
		wg.Go(func() {
			if err := j.Write(journaltest.Attempt("job", n+1), journaltest.Outcome("job", n+1, 1)); err != nil {
				t.Error(err)
			}
		})
	}
	for len(j.commit.in) < writers {
		runtime.Gosched() // each waits until it is committed, so all get here
	}
	close(begin)
	wg.Wait()
	if after := txID(t, j); after != before+2 {
		t.Errorf("%d writes took %d transactions beside the one they waited for, want 1", writers, after-before-1)
	}
	if q, err := j.Queue(2 * writers); err != nil || len(q) != writers {
		t.Errorf("%d outcomes are queued (%v)", len(q), err)
	}
}

func txID(t *testing.T, j *Journal) (id int) {
	t.Helper()
	if err := j.db.View(func(tx *bolt.Tx) error { id = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return id
}

// One write that fails spoils none of those it shares a commit with.
func TestABadWriteSpoilsNoOther(t *testing.T) {
	j := open(t, t.TempDir())
	bad := errors.New("bad")
	good := &write{fn: func(tx *bolt.Tx) error { return enqueue(tx, [][]byte{[]byte(`{}`)}) }, result: make(chan error, 1)}
	worse := &write{fn: func(tx *bolt.Tx) error { _ = enqueue(tx, [][]byte{[]byte(`{}`)}); return bad }, result: make(chan error, 1)}
	also := &write{fn: good.fn, result: make(chan error, 1)}
	j.commit.run([]*write{good, worse, also})
	if a, b, c := <-good.result, <-worse.result, <-also.result; a != nil || !errors.Is(b, bad) || c != nil {
		t.Errorf("the writes gave %v, %v and %v", a, b, c)
	}
	if q, err := j.Queue(9); err != nil || len(q) != 2 {
		t.Errorf("%d outcomes are queued (%v), want the two good ones", len(q), err)
	}
}

// What a write that has returned has written is in the file, whatever becomes
// of the process: a copy of the file while it is open is what a killed one
// leaves.
func TestAKilledWorkersJournalIsWhole(t *testing.T) {
	dir, copied := t.TempDir(), t.TempDir()
	j := open(t, dir)
	for n := range uint64(50) {
		if err := j.Write(journaltest.Attempt("job", n+1), journaltest.Outcome("job", n+1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(copied, FileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	after := open(t, copied)
	if after.ID() != j.ID() || after.Opened() != 2 {
		t.Errorf("it is %s (was %s), opened %d times", after.ID(), j.ID(), after.Opened())
	}
	if q, err := after.Queue(99); err != nil || len(q) != 50 {
		t.Errorf("%d outcomes are queued (%v), want 50", len(q), err)
	}
	if a, err := after.Attempt("job", 0); err != nil || a.Job.Attempt != 50 {
		t.Errorf("the newest is %d (%v)", a.Job.Attempt, err)
	}
}

func TestAJournalInUseIsAClearError(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	_, err := openWithin(dir, time.Millisecond)
	if err == nil {
		t.Fatal("two workers hold one journal")
	}
	for _, want := range []string{filepath.Join(dir, FileName), "in use by another worker", "--state-dir"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}

func TestADamagedFileIsAnErrorThatNamesIt(t *testing.T) {
	whole := func(t *testing.T) []byte {
		dir := t.TempDir()
		j := open(t, dir)
		for n := range uint64(20) {
			if err := j.Write(journaltest.Attempt("job", n+1)); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, FileName))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, damage := range map[string]func([]byte) []byte{
		"text":          func([]byte) []byte { return []byte(strings.Repeat("not a journal\n", 1000)) },
		"a few bytes":   func(b []byte) []byte { return b[:100] },
		"zeros":         func(b []byte) []byte { return make([]byte, len(b)) },
		"zeroed pages":  func(b []byte) []byte { clear(b[2*os.Getpagesize():]); return b },
		"garbled pages": func(b []byte) []byte { garble(b[2*os.Getpagesize():]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			if err := os.WriteFile(path, damage(whole(t)), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := Open(dir)
			if err == nil {
				_ = j.Close()
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
		})
	}
}

func garble(b []byte) {
	for i := range b {
		b[i] ^= 0x5a
	}
}

func TestADirectoryThatIsNotThereIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nowhere")
	if j, err := Open(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v, %v", j, err)
	}
}

func TestWritesToAClosedJournalFail(t *testing.T) {
	j := open(t, t.TempDir())
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Write(journaltest.Attempt("job", 1)); !errors.Is(err, errClosed) {
		t.Errorf("a write: %v", err)
	}
	if _, err := j.Queue(1); err == nil {
		t.Error("the queue of a closed journal can be read")
	}
	if err := j.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// A day's worth of attempts is forgotten in many small transactions.
func TestForgetGoesInSteps(t *testing.T) {
	j := open(t, t.TempDir())
	const many = 2*mostForgotten + 10
	if err := j.commit.do(func(tx *bolt.Tx) error {
		for n := range uint64(many) {
			key := attemptKey(journal.Key{Job: "job", Attempt: n + 1})
			if err := tx.Bucket(bucketAttempts).Put(key, []byte(`{"phase":"ended","ended":"2026-01-02T03:04:05Z"}`)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	before := txID(t, j)
	n, err := j.Forget(messages.Job{}.Created.AddDate(3000, 0, 0))
	if err != nil || n != many {
		t.Errorf("%d are forgotten (%v), want %d", n, err, many)
	}
	if steps := txID(t, j) - before; steps != 3 {
		t.Errorf("in %d transactions, want 3", steps)
	}
}

func BenchmarkWrite(b *testing.B) {
	j, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			if err := j.Write(journaltest.Attempt("job", 1)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("64 at once", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := j.Write(journaltest.Attempt("job", 1)); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
