package natsbus

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// query is the request of the API's direct get and message get.
type query struct {
	Seq      uint64 `json:"seq"`
	Subject  string `json:"next_by_subj"`
	Batch    int    `json:"batch,omitempty"`
	MaxBytes int    `json:"max_bytes,omitempty"`
}

// leader asks the stream's leader for the next message, or
// jetstream.ErrMsgNotFound. The client's GetMsg would ask any replica.
func (r *reader) leader(ctx context.Context) (bus.Stored, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	body, err := json.Marshal(query{Seq: r.next, Subject: r.subject})
	if err != nil {
		return bus.Stored{}, err
	}
	reply, err := r.bus.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+r.stream, body)
	if err != nil {
		return bus.Stored{}, err
	}
	var answer leaderAnswer
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return bus.Stored{}, err
	}
	return answer.stored()
}

// leaderAnswer is the API's answer to a message get.
type leaderAnswer struct {
	Error   *jetstream.APIError `json:"error"`
	Message *struct {
		Subject string    `json:"subject"`
		Seq     uint64    `json:"seq"`
		Header  []byte    `json:"hdrs"`
		Data    []byte    `json:"data"`
		At      time.Time `json:"time"`
	} `json:"message"`
}

func (a leaderAnswer) stored() (bus.Stored, error) {
	switch {
	case a.Error != nil && a.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return bus.Stored{}, jetstream.ErrMsgNotFound
	case a.Error != nil:
		return bus.Stored{}, a.Error
	case a.Message == nil:
		return bus.Stored{}, jetstream.ErrInvalidJetStreamResponse
	}
	m := bus.Message{Subject: a.Message.Subject, Data: a.Message.Data}
	if len(a.Message.Header) > 0 {
		header, err := nats.DecodeHeadersMsg(a.Message.Header)
		if err != nil {
			return bus.Stored{}, err
		}
		m.Header = headerFromNATS(header)
	}
	return bus.Stored{Message: m, Sequence: a.Message.Seq, At: a.Message.At}, nil
}
