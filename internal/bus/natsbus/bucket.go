package natsbus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Bucket implements bus.Bus. Whether the bucket is there shows when it is used.
func (b *Bus) Bucket(name string) bus.Bucket { return &bucket{bus: b, name: name} }

// bucket is a NATS key-value store. A deleted key leaves a marker that watchers
// can see, and that goes by itself.
type bucket struct {
	bus  *Bus
	name string
}

// kv finds the bucket once; its handle holds nothing that could grow old.
func (k *bucket) kv(ctx context.Context) (jetstream.KeyValue, error) {
	b := k.bus
	b.mu.Lock()
	kv := b.buckets[k.name]
	b.mu.Unlock()
	if kv != nil {
		return kv, nil
	}
	kv, err := b.js.KeyValue(ctx, k.name)
	if err != nil {
		return nil, wrap(err, "bucket %s", k.name)
	}
	b.mu.Lock()
	b.buckets[k.name] = kv
	b.mu.Unlock()
	return kv, nil
}

// Get implements bus.Bucket.
func (k *bucket) Get(ctx context.Context, key string) (bus.Entry, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	kv, err := k.kv(ctx)
	if err != nil {
		return bus.Entry{}, err
	}
	e, err := kv.Get(ctx, key)
	if err != nil {
		return bus.Entry{}, k.wrap(err, "get", key)
	}
	return bus.Entry{Key: key, Value: e.Value(), Revision: e.Revision()}, nil
}

// Create implements bus.Bucket.
func (k *bucket) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	kv, err := k.kv(ctx)
	if err != nil {
		return 0, err
	}
	if plainKey(key) {
		revision, err := k.put(ctx, key, value, 0, nil)
		if err == nil {
			return revision, nil
		}
		if !errors.Is(kindOf(err), bus.ErrConflict) {
			return 0, k.wrap(err, "create", key)
		}
	}
	revision, err := kv.Create(ctx, key, value)
	// Over the marker of a deleted key the client's Create is an update, and may
	// lose against another's.
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(kindOf(err), bus.ErrConflict) {
		return 0, fmt.Errorf("bucket %s: create %s: %w", k.name, key, bus.ErrExists)
	}
	return revision, k.wrap(err, "create", key)
}

// Update implements bus.Bucket.
func (k *bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	kv, err := k.at(ctx, "update", key, revision)
	if err != nil {
		return 0, err
	}
	if plainKey(key) {
		revision, err = k.put(ctx, key, value, revision, nil)
	} else {
		revision, err = kv.Update(ctx, key, value, revision)
	}
	return revision, k.wrap(err, "update", key)
}

// Delete implements bus.Bucket.
func (k *bucket) Delete(ctx context.Context, key string, revision uint64) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	kv, err := k.at(ctx, "delete", key, revision)
	if err != nil {
		return err
	}
	if plainKey(key) {
		_, err = k.put(ctx, key, nil, revision, nats.Header{
			kvOperation:            {"PURGE"},
			jetstream.MsgRollup:    {jetstream.MsgRollupSubject},
			jetstream.MsgTTLHeader: {k.bus.markerTTL.String()},
		})
	} else {
		err = kv.Purge(ctx, key, jetstream.LastRevision(revision), jetstream.PurgeTTL(k.bus.markerTTL))
	}
	return k.wrap(err, "delete", key)
}

// kvOperation is the header that says what became of a key.
const kvOperation = "KV-Operation"

// put writes a key whose last revision is the one given, 0 for none at all, not
// even a marker. It writes what the client's own calls write (ADR-8), without
// their way of reading the acknowledgement.
func (k *bucket) put(ctx context.Context, key string, value []byte, last uint64, header nats.Header) (revision uint64, err error) {
	if header == nil {
		header = make(nats.Header, 1)
	}
	header[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(last, 10)}
	return k.bus.store(ctx, &nats.Msg{Subject: "$KV." + k.name + "." + key, Header: header, Data: value})
}

// plainKey tells whether a key is one that put may write: of tokens, and dots
// between them. What the client thinks of others is for it to say.
func plainKey(key string) bool {
	for token := range strings.SplitSeq(key, ".") {
		if !messages.ValidToken(token) {
			return false
		}
	}
	return true
}

// at refuses revision 0, which for NATS means "not there" in one call and "any"
// in another.
func (k *bucket) at(ctx context.Context, verb, key string, revision uint64) (jetstream.KeyValue, error) {
	if revision == 0 {
		return nil, fmt.Errorf("bucket %s: %s %s: %w: no key has revision 0", k.name, verb, key, bus.ErrConflict)
	}
	return k.kv(ctx)
}

func (k *bucket) wrap(err error, verb, key string) error {
	return wrap(err, "bucket %s: %s %s", k.name, verb, key)
}
