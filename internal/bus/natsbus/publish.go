package natsbus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A stream whose leader changes answers nobody for a moment: how often, and
// after what pause, it is asked again. The numbers are those of the client; that
// is too short for growing pauses, and who publishes tries longer if it has to.
const (
	leaderless      = 2
	leaderlessPause = 250 * time.Millisecond
)

// store publishes into a stream and waits for the acknowledgement. It is what
// jetstream.JetStream.PublishMsg does, but for the reading of the
// acknowledgement, of which a job takes five: encoding/json needs longer for one
// than all the rest of the call.
func (b *Bus) store(ctx context.Context, m *nats.Msg) (sequence uint64, err error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	reply, err := b.nc.RequestMsgWithContext(ctx, m)
	for try := 0; try < leaderless && errors.Is(err, nats.ErrNoResponders); try++ {
		select {
		case <-ctx.Done():
		case <-time.After(leaderlessPause):
		}
		reply, err = b.nc.RequestMsgWithContext(ctx, m)
	}
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return 0, jetstream.ErrNoStreamResponse
	case err != nil:
		return 0, err
	}
	if sequence, ok := plainAck(reply.Data); ok {
		return sequence, nil
	}
	return anyAck(reply.Data)
}

// plainAck reads an acknowledgement of the form that nearly all have,
// {"stream":"…","seq":1}. What it does not know it leaves to anyAck.
func plainAck(data []byte) (sequence uint64, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	if !ok {
		return 0, false
	}
	stream, rest, ok := bytes.Cut(rest, []byte(`","seq":`))
	if !ok || len(stream) == 0 || bytes.ContainsAny(stream, `"\`) {
		return 0, false
	}
	digits, ok := bytes.CutSuffix(rest, []byte("}"))
	if !ok {
		return 0, false
	}
	sequence, err := strconv.ParseUint(string(digits), 10, 64)
	return sequence, err == nil && sequence > 0
}

// anyAck reads every acknowledgement, and every refusal.
func anyAck(data []byte) (sequence uint64, err error) {
	var ack struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
		Seq    uint64              `json:"seq"`
	}
	if err := json.Unmarshal(data, &ack); err != nil {
		return 0, jetstream.ErrInvalidJSAck
	}
	if ack.Error != nil {
		return 0, fmt.Errorf("nats: %w", ack.Error)
	}
	if ack.Stream == "" {
		return 0, jetstream.ErrInvalidJSAck
	}
	return ack.Seq, nil
}
