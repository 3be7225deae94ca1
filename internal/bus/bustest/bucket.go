package bustest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func bucketLife(t *testing.T, f *fixture) {
	k := f.laid().Bucket("KEYS")
	const key = "web.0"
	_, err := k.Get(f.ctx(), key)
	wantErr(t, err, bus.ErrNotFound, "KEYS", key)
	created := value(k.Create(f.ctx(), key, []byte("1")))(t)
	f.wantEntry(k, bus.Entry{Key: key, Value: []byte("1"), Revision: created})
	updated := value(k.Update(f.ctx(), key, []byte("2"), created))(t)
	f.wantEntry(k, bus.Entry{Key: key, Value: []byte("2"), Revision: updated})
	must(t, k.Delete(f.ctx(), key, updated))
	_, err = k.Get(f.ctx(), key)
	wantErr(t, err, bus.ErrNotFound, key)
	again := value(k.Create(f.ctx(), key, []byte("3")))(t)
	if created == 0 || updated <= created || again <= updated+1 {
		t.Fatalf("revisions %d, %d, %d do not rise over the deletion", created, updated, again)
	}
	f.wantEntry(k, bus.Entry{Key: key, Value: []byte("3"), Revision: again})
}

func (f *fixture) wantEntry(k bus.Bucket, want bus.Entry) {
	f.t.Helper()
	got := value(k.Get(f.ctx(), want.Key))(f.t)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		f.t.Fatalf("got %v, want %v", got, want)
	}
}

func bucketConflicts(t *testing.T, f *fixture) {
	k := f.laid().Bucket("KEYS")
	first := value(k.Create(f.ctx(), "a", []byte("1")))(t)
	other := value(k.Create(f.ctx(), "b", []byte("1")))(t)
	second := value(k.Update(f.ctx(), "a", []byte("2"), first))(t)
	_, err := k.Create(f.ctx(), "a", []byte("x"))
	wantErr(t, err, bus.ErrExists, "KEYS", "a")
	for _, revision := range []uint64{0, first, other, second + 1} {
		_, err := k.Update(f.ctx(), "a", []byte("x"), revision)
		wantErr(t, err, bus.ErrConflict, "KEYS", "a")
		wantErr(t, k.Delete(f.ctx(), "a", revision), bus.ErrConflict, "KEYS", "a")
	}
	f.wantEntry(k, bus.Entry{Key: "a", Value: []byte("2"), Revision: second})
	must(t, k.Delete(f.ctx(), "a", second))
	wantErr(t, k.Delete(f.ctx(), "a", second), bus.ErrConflict)
	_, err = k.Update(f.ctx(), "a", []byte("x"), second)
	wantErr(t, err, bus.ErrConflict)
	_, err = k.Update(f.ctx(), "never", []byte("x"), 1)
	wantErr(t, err, bus.ErrConflict)
}

func bucketRace(t *testing.T, f *fixture) {
	f.laid()
	const n = 8
	errs := make(chan error, n)
	for range n {
		k := f.bus().Bucket("KEYS")
		go func() {
			_, err := k.Create(f.ctx(), "race", []byte("mine"))
			errs <- err
		}()
	}
	won := 0
	for range n {
		if err := next(t, errs); err == nil {
			won++
		} else {
			wantErr(t, err, bus.ErrExists)
		}
	}
	if won != 1 {
		t.Fatalf("%d created the key", won)
	}
}

func bucketMissing(t *testing.T, f *fixture) {
	k := f.laid().Bucket("NONE")
	_, err := k.Get(f.ctx(), "a")
	wantErr(t, err, bus.ErrNotFound, "NONE")
	_, err = k.Create(f.ctx(), "a", nil)
	wantErr(t, err, bus.ErrNotFound, "NONE")
	_, err = f.laid().Bucket("KEYS").Get(f.ctx(), "not a key")
	if err == nil || errors.Is(err, bus.ErrNotFound) {
		t.Fatalf("a key with blanks: %v", err)
	}
	_, err = f.laid().Bucket("KEYS").Create(f.ctx(), "large", make([]byte, messages.MaxBusPayload+1))
	wantErr(t, err, bus.ErrTooLarge, "large")
}

// bucketFull checks that a full bucket refuses what is new, and still lets what
// is there be updated and deleted.
func bucketFull(t *testing.T, f *fixture) {
	k := f.laid().Bucket("TIGHT")
	revisions := map[string]uint64{}
	var err error
	for i := 0; err == nil && i < 100; i++ {
		key := fmt.Sprint("key-", i)
		var revision uint64
		if revision, err = k.Create(f.ctx(), key, make([]byte, 1<<10)); err == nil {
			revisions[key] = revision
		}
	}
	wantErr(t, err, bus.ErrFull, "TIGHT")
	if len(revisions) < 32 {
		t.Fatalf("64 KiB are full with %d entries of 1 KiB", len(revisions))
	}
	revision := value(k.Update(f.ctx(), "key-0", []byte("smaller"), revisions["key-0"]))(t)
	if revision <= revisions["key-0"] {
		t.Fatalf("revision %d did not rise", revision)
	}
	for key, revision := range revisions {
		if key != "key-0" {
			must(t, k.Delete(f.ctx(), key, revision))
		}
	}
	_ = value(k.Create(f.ctx(), "new", make([]byte, 1<<10)))(t)
}
