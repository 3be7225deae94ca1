package worker

import (
	"context"
	"strconv"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// beatEvery is how often a streamed answer asks whether its asker is still
// there.
const beatEvery = 5 * time.Second

// frames writes a streamed answer: numbered messages on the reply subject, the
// last one empty. It beats when there is nothing to say, and gives up when
// nobody listens. Its methods may be called from different goroutines.
type frames struct {
	bus   bus.Bus
	reply string
	gone  context.CancelFunc

	mu     slowLock
	seq    uint64
	probed time.Time
	ended  bool
}

// newFrames begins an answer; the context it returns ends when the asker has
// left, and with ctx. end must be called.
func newFrames(ctx context.Context, b bus.Bus, reply string) (*frames, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	f := &frames{bus: b, reply: reply, gone: cancel, probed: time.Now()}
	go f.beat(ctx)
	return f, ctx
}

// entry sends a piece of a container's output, in frames that are small enough.
// Each says when it was written, so that a reader who was cut off can ask for
// the rest.
func (f *frames) entry(ctx context.Context, e *runtime.LogEntry) error {
	at := e.At.UTC().Format(time.RFC3339Nano)
	for data := e.Message; len(data) > 0; {
		n := min(len(data), messages.MaxFrameSize)
		header := bus.Header{messages.HeaderStream: string(e.Stream), messages.HeaderAt: at}
		if err := f.send(ctx, header, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// beat keeps a silent answer alive. A frame that was sent a moment ago is as
// good, but it too has to ask now and then whether anybody listens.
func (f *frames) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if f.send(ctx, bus.Header{messages.HeaderBeat: "1"}, []byte("\n")) != nil {
				return
			}
		}
	}
}

// send sends one frame, asking with it whether anybody listens if that has not
// been asked for a while.
func (f *frames) send(ctx context.Context, header bus.Header, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return context.Canceled
	}
	f.seq++
	header[messages.HeaderSeq] = strconv.FormatUint(f.seq, 10)
	m := bus.Message{Subject: f.reply, Header: header, Data: data}
	if now := time.Now(); now.Sub(f.probed) >= beatEvery {
		f.probed = now
		return f.bus.Probe(ctx, m, f.gone)
	}
	return f.bus.Publish(ctx, m)
}

// end sends the empty message that ends the answer: with err in its headers, or
// the status of success and what else there is to say.
func (f *frames) end(ctx context.Context, err error, extra bus.Header) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil
	}
	f.ended = true
	f.gone()
	f.seq++
	header := bus.Header{messages.HeaderSeq: strconv.FormatUint(f.seq, 10)}
	for k, v := range extra {
		header[k] = v
	}
	if e := runtime.ToWire(err); e != nil {
		header[messages.HeaderErrorCode] = strconv.Itoa(e.Code.HTTPStatus())
		header[messages.HeaderError] = e.Error()
	} else {
		header[messages.HeaderStatus] = messages.StatusEnd
	}
	return f.bus.Publish(ctx, bus.Message{Subject: f.reply, Header: header})
}
