package boltjournal

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
)

// Attempt is one attempt, or the newest.
func (j *Journal) Attempt(job string, attempt uint64) (journal.Attempt, error) {
	var a journal.Attempt
	err := j.db.View(func(tx *bolt.Tx) error {
		value := tx.Bucket(bucketAttempts).Get(attemptKey(journal.Key{Job: job, Attempt: attempt}))
		if attempt == 0 {
			value = newest(tx, job)
		}
		if value == nil {
			return journal.ErrNotFound
		}
		return json.Unmarshal(value, &a)
	})
	return a, err
}

// newest is the value of the last key of a job, or nil.
func newest(tx *bolt.Tx, job string) []byte {
	prefix := append([]byte(job), 0)
	c := tx.Bucket(bucketAttempts).Cursor()
	// Behind every key of the job, whatever its attempt.
	back := c.Prev
	if behind, _ := c.Seek(append([]byte(job), 1)); behind == nil {
		back = c.Last
	}
	k, v := back()
	if !bytes.HasPrefix(k, prefix) {
		return nil
	}
	return v
}

// Open is every attempt that has not ended, the oldest first.
func (j *Journal) Open() ([]journal.Attempt, error) {
	var open []journal.Attempt
	err := j.db.View(func(tx *bolt.Tx) error {
		attempts := tx.Bucket(bucketAttempts)
		return tx.Bucket(bucketOpen).ForEach(func(k, _ []byte) error {
			var a journal.Attempt
			if err := json.Unmarshal(attempts.Get(k), &a); err != nil {
				return fmt.Errorf("attempt %q: %w", k, err)
			}
			open = append(open, a)
			return nil
		})
	})
	slices.SortFunc(open, func(a, b journal.Attempt) int {
		return cmp.Or(a.Accepted.Compare(b.Accepted), cmp.Compare(a.Job.ID, b.Job.ID))
	})
	return open, err
}

// Queue is the oldest outcomes that wait.
func (j *Journal) Queue(limit int) ([]journal.Queued, error) {
	var queue []journal.Queued
	err := j.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketQueue).Cursor()
		for k, v := c.First(); k != nil && len(queue) < limit; k, v = c.Next() {
			q := journal.Queued{Seq: binary.BigEndian.Uint64(k)}
			if err := json.Unmarshal(v, &q.Outcome); err != nil {
				return fmt.Errorf("outcome %d in the queue: %w", q.Seq, err)
			}
			queue = append(queue, q)
		}
		return nil
	})
	return queue, err
}
