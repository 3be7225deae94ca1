package boltjournal

import (
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
)

// mostForgotten is how many attempts one transaction drops.
const mostForgotten = 1000

// Forget drops attempts that ended before the given time. It looks for them
// beside the writes, so that a long journal does not hold up an acceptance.
func (j *Journal) Forget(before time.Time) (int, error) {
	dropped := 0
	for {
		old, err := j.endedBefore(before)
		if err != nil || len(old) == 0 {
			return dropped, err
		}
		if err := j.commit.do(func(tx *bolt.Tx) error { return drop(tx, old, before) }); err != nil {
			return dropped, err
		}
		dropped += len(old)
		if len(old) < mostForgotten {
			return dropped, nil
		}
	}
}

// endedBefore is the keys of attempts that ended before the given time.
func (j *Journal) endedBefore(before time.Time) (old [][]byte, err error) {
	err = j.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketAttempts).Cursor()
		for k, v := c.First(); k != nil && len(old) < mostForgotten; k, v = c.Next() {
			ended, err := endedBy(k, v, before)
			if err != nil {
				return err
			}
			if ended {
				old = append(old, append([]byte(nil), k...))
			}
		}
		return nil
	})
	return old, err
}

// drop deletes attempts, but for those that have been written again since.
func drop(tx *bolt.Tx, keys [][]byte, before time.Time) error {
	attempts := tx.Bucket(bucketAttempts)
	for _, k := range keys {
		v := attempts.Get(k)
		if v == nil {
			continue
		}
		ended, err := endedBy(k, v, before)
		if err != nil {
			return err
		}
		if !ended {
			continue
		}
		if err := attempts.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func endedBy(k, v []byte, before time.Time) (bool, error) {
	var a struct {
		Phase journal.Phase `json:"phase"`
		Ended time.Time     `json:"ended"`
	}
	if err := json.Unmarshal(v, &a); err != nil {
		return false, fmt.Errorf("attempt %q: %w", k, err)
	}
	return a.Phase == journal.PhaseEnded && a.Ended.Before(before), nil
}
