package boltjournal

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
)

// Settings are the ones that were written last.
func (j *Journal) Settings() (s journal.Settings, err error) {
	err = j.db.View(func(tx *bolt.Tx) error {
		data := tx.Bucket(bucketMeta).Get(keySettings)
		if data == nil {
			return nil
		}
		if err := json.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("the worker's settings: %w", err)
		}
		return nil
	})
	return s, err
}

// Set writes the settings, durably.
func (j *Journal) Set(s journal.Settings) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("journal the worker's settings: %w", err)
	}
	return j.commit.do(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keySettings, data) })
}
