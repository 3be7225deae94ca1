package natsbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Ensure implements bus.Bus. It changes nothing that exists: an operator may
// have had reasons. Several may call it at once.
func (b *Bus) Ensure(ctx context.Context, layout bus.Layout) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if _, err := b.js.AccountInfo(ctx); err != nil {
		return explain(err)
	}
	var errs []error
	for _, s := range layout.Streams {
		errs = append(errs, b.ensure(ctx, "stream "+s.Name, streamConfig(s, layout.Replicas)))
	}
	for _, s := range layout.Buckets {
		errs = append(errs, b.ensure(ctx, "bucket "+s.Name, bucketConfig(s, layout.Replicas)))
	}
	return errors.Join(errs...)
}

// ensure makes one stream, or checks the one that has its name.
func (b *Bus) ensure(ctx context.Context, what string, want jetstream.StreamConfig) error {
	if want.MaxBytes <= 0 {
		return fmt.Errorf("%s: the layout gives it no size limit", what)
	}
	s, err := b.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = b.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			s, err = b.js.Stream(ctx, want.Name) // another was faster, with other settings
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, explain(err))
	}
	return compare(what, s.CachedInfo().Config, want)
}

// explain adds to JetStream's refusals what to change.
func explain(err error) error {
	api, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return wrap(err, "JetStream")
	}
	var advice string
	switch api.ErrorCode {
	case jetstream.JSErrCodeJetStreamNotEnabled:
		advice = "set `jetstream { store_dir: … }` in the server's configuration"
	case jetstream.JSErrCodeJetStreamNotEnabledForAccount:
		advice = "enable JetStream for this account (`nsc edit account --js-disk-storage …`, or `jetstream: enabled` in the configuration)"
	case codeStorageExceeded, codeInsufficient:
		advice = "raise the server's `max_file_store` or the account's disk storage, or give shunt a smaller budget"
	case codeNoPeers, codeReplicasImpossible:
		advice = "use 1 replica, or a cluster of at least as many servers as replicas"
	case codeSubjectsOverlap:
		advice = "another stream holds these subjects: remove it, or choose another subject root"
	default:
		return wrap(err, "JetStream")
	}
	return fmt.Errorf("%w; %s", wrap(err, "JetStream"), advice)
}
