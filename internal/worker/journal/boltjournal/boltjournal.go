// Package boltjournal keeps a worker's journal in a bbolt file. A write is on
// the disk when it returns; writes that come while another is being synced
// share the next sync (group commit), so many at once cost little more than
// one.
package boltjournal

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Buckets of the file. Attempts are under `<job> 0x00 <attempt, 8 bytes>`, so
// that a job's newest is its last key; open holds the keys of those that have
// not ended; the queue is in the order of its keys.
var (
	bucketMeta     = []byte("meta")
	bucketAttempts = []byte("attempts")
	bucketOpen     = []byte("open")
	bucketQueue    = []byte("queue")

	keyID       = []byte("id")
	keyOpened   = []byte("opened")
	keySettings = []byte("settings")
)

// FileName is the journal's file in a worker's state directory.
const FileName = "journal.db"

// lockPatience is how long Open waits for a worker that is just leaving.
const lockPatience = 5 * time.Second

// Journal is an open journal file.
type Journal struct {
	db     *bolt.DB
	id     string
	opened uint64
	commit *committer
}

var _ journal.Journal = (*Journal)(nil)

// Open opens the journal in a directory that exists, or makes it there. A
// journal that another worker holds is an error.
func Open(dir string) (*Journal, error) { return openWithin(dir, lockPatience) }

func openWithin(dir string, patience time.Duration) (*Journal, error) {
	path := filepath.Join(dir, FileName)
	db, err := openFile(path, patience)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("the journal %s is in use by another worker; stop it, or give this one a --state-dir of its own", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal %s: %w", path, err)
	}
	j := &Journal{db: db}
	if err := sound(func() error { return db.Update(j.begin) }); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("prepare the journal %s: %w", path, err)
	}
	j.commit = newCommitter(db)
	return j, nil
}

// openFile opens the file, whatever is in it.
func openFile(path string, patience time.Duration) (db *bolt.DB, err error) {
	err = sound(func() error {
		db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: patience})
		return err
	})
	return db, err
}

// sound runs f on a file that may be damaged: bbolt panics where a page is not
// what it should be.
func sound(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is damaged (%v); move it away to begin a new journal, under a new incarnation", p)
		}
	}()
	return f()
}

// begin makes the buckets and counts the opening.
func (j *Journal) begin(tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketMeta, bucketAttempts, bucketOpen, bucketQueue} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	if id := meta.Get(keyID); id != nil {
		j.id = string(id)
	} else {
		j.id = rand.Text()
		if err := meta.Put(keyID, []byte(j.id)); err != nil {
			return err
		}
	}
	if n := meta.Get(keyOpened); len(n) == 8 {
		j.opened = binary.BigEndian.Uint64(n)
	}
	j.opened++
	return meta.Put(keyOpened, order(j.opened))
}

// ID is the journal's identity.
func (j *Journal) ID() string { return j.id }

// Opened is how often the journal has been opened.
func (j *Journal) Opened() uint64 { return j.opened }

// Write notes an attempt and queues outcomes, durably.
func (j *Journal) Write(a journal.Attempt, publish ...messages.Outcome) error {
	value, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("journal attempt %s: %w", a.Key(), err)
	}
	outcomes := make([][]byte, len(publish))
	for i := range publish {
		if outcomes[i], err = json.Marshal(publish[i]); err != nil {
			return fmt.Errorf("journal an outcome of %s: %w", a.Key(), err)
		}
	}
	key := attemptKey(a.Key())
	return j.commit.do(func(tx *bolt.Tx) error {
		if err := tx.Bucket(bucketAttempts).Put(key, value); err != nil {
			return err
		}
		if err := setOpen(tx, key, a.Phase != journal.PhaseEnded); err != nil {
			return err
		}
		return enqueue(tx, outcomes)
	})
}

func setOpen(tx *bolt.Tx, key []byte, open bool) error {
	b := tx.Bucket(bucketOpen)
	if !open {
		return b.Delete(key)
	}
	return b.Put(key, nil)
}

func enqueue(tx *bolt.Tx, outcomes [][]byte) error {
	queue := tx.Bucket(bucketQueue)
	for _, o := range outcomes {
		seq, err := queue.NextSequence()
		if err != nil {
			return err
		}
		if err := queue.Put(order(seq), o); err != nil {
			return err
		}
	}
	return nil
}

// Sent takes outcomes out of the queue. It need not be durable at once: an
// outcome that is published twice is recognised.
func (j *Journal) Sent(seq uint64) error {
	return j.commit.do(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketQueue).Cursor()
		for k, _ := c.First(); k != nil && binary.BigEndian.Uint64(k) <= seq; k, _ = c.First() {
			if err := c.Delete(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close lets the writes that wait finish and closes the file.
func (j *Journal) Close() error {
	j.commit.close()
	return j.db.Close()
}

// order is a number as bytes that sort like it.
func order(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// attemptKey cannot be ambiguous: a job id has no zero byte.
func attemptKey(k journal.Key) []byte {
	key := append([]byte(k.Job), 0)
	return binary.BigEndian.AppendUint64(key, k.Attempt)
}
