package natsbus

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Error codes of the JetStream API that the client does not name.
const (
	codeNoPeers            jetstream.ErrorCode = 10005
	codeInsufficient       jetstream.ErrorCode = 10023
	codeStorageExceeded    jetstream.ErrorCode = 10047
	codeSubjectsOverlap    jetstream.ErrorCode = 10065
	codeStoreFailed        jetstream.ErrorCode = 10077
	codeReplicasImpossible jetstream.ErrorCode = 10074
)

// kinds are the client's errors that have a name on the port.
var kinds = []struct{ is, means error }{
	{nats.ErrNoResponders, bus.ErrNoResponders},
	// The stream may be without a leader; what it holds is not known then.
	{jetstream.ErrNoStreamResponse, bus.ErrUnavailable},
	{jetstream.ErrStreamNotFound, bus.ErrNotFound},
	{jetstream.ErrConsumerNotFound, bus.ErrNotFound},
	{jetstream.ErrMsgNotFound, bus.ErrNotFound},
	{jetstream.ErrKeyNotFound, bus.ErrNotFound},
	{jetstream.ErrBucketNotFound, bus.ErrNotFound},
	{jetstream.ErrKeyRevisionMismatch, bus.ErrConflict},
	{nats.ErrMaxPayload, bus.ErrTooLarge},
	{jetstream.ErrStreamMessageExceedsMaximum, bus.ErrTooLarge},
	{nats.ErrReconnectBufExceeded, bus.ErrUnavailable},
	{nats.ErrConnectionReconnecting, bus.ErrUnavailable},
	{nats.ErrConnectionClosed, bus.ErrUnavailable},
	{nats.ErrConnectionDraining, bus.ErrUnavailable},
	{nats.ErrDisconnected, bus.ErrUnavailable},
	{nats.ErrStaleConnection, bus.ErrUnavailable},
}

// wrap says what was being done, and puts the port's error in front of the
// client's where there is one.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf(format, args...)
	if kind := kindOf(err); kind != nil {
		return fmt.Errorf("%s: %w: %w", doing, kind, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func kindOf(err error) error {
	for _, kind := range kinds {
		if errors.Is(err, kind.is) {
			return kind.means
		}
	}
	api, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return nil
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return bus.ErrConflict
	case codeInsufficient, codeStorageExceeded:
		return bus.ErrFull
	case codeStoreFailed:
		// One code for all that a store may say; "maximum … exceeded" are its limits.
		if strings.HasPrefix(api.Description, "maximum ") {
			return bus.ErrFull
		}
	case jetstream.JSErrCodeJetStreamNotEnabled, jetstream.JSErrCodeJetStreamNotEnabledForAccount:
		return bus.ErrUnavailable
	}
	return nil
}
