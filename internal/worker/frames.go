package worker

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// beatEvery is how long a streamed answer is silent before it beats, and how
// often it asks whether its asker is still there.
const beatEvery = 5 * time.Second

// errAskerLeft is why an answer ends that nobody hears any more.
var errAskerLeft = errors.New("nobody listens to the answer any more")

// frames writes a streamed answer: numbered messages on the reply subject, the
// last one empty. It beats when there is nothing to say, and gives up when
// nobody listens. Its methods may be called from different goroutines.
type frames struct {
	bus   bus.Bus
	reply string
	gone  func()

	mu     slowLock
	seq    uint64
	sent   time.Time // the last frame
	probed time.Time // when it was last asked whether anybody listens
	ended  bool
}

// newFrames begins an answer; the context it returns ends when the asker has
// left (errAskerLeft), and with ctx. end must be called.
func (w *Worker) newFrames(ctx context.Context, reply string) (*frames, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	now := time.Now()
	f := &frames{
		bus: w.cfg.Bus, reply: reply, sent: now, probed: now,
		gone: func() { cancel(errAskerLeft) },
	}
	w.work.Go(func() { f.beat(ctx) })
	return f, ctx
}

// output sends raw bytes of a stream, in frames that are small enough. more may
// be nil.
func (f *frames) output(ctx context.Context, stream runtime.Stream, data []byte, more bus.Header) error {
	for len(data) > 0 {
		n := min(len(data), messages.MaxFrameSize)
		header := bus.Header{messages.HeaderStream: string(stream)}
		maps.Copy(header, more)
		if err := f.send(ctx, header, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// json sends a message of the contract.
func (f *frames) json(ctx context.Context, message any) error {
	data, err := messages.Encode(message)
	if err != nil {
		return err
	}
	return f.send(ctx, bus.Header{}, data)
}

// beat keeps a silent answer alive, and asks with that whether anybody listens.
func (f *frames) beat(ctx context.Context) {
	timer := time.NewTimer(beatEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		silent := f.silent()
		if silent >= beatEvery {
			if f.send(ctx, bus.Header{messages.HeaderBeat: "1"}, []byte("\n")) != nil {
				return
			}
			silent = 0
		}
		timer.Reset(beatEvery - silent)
	}
}

// silent is how long ago the last frame was sent.
func (f *frames) silent() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.sent)
}

// send sends one frame, asking with it whether anybody listens if that has not
// been asked for a while: an answer that is never silent never beats.
func (f *frames) send(ctx context.Context, header bus.Header, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return context.Canceled
	}
	f.seq++
	header[messages.HeaderSeq] = strconv.FormatUint(f.seq, 10)
	m := bus.Message{Subject: f.reply, Header: header, Data: data}
	f.sent = time.Now()
	if f.sent.Sub(f.probed) < beatEvery {
		return f.bus.Publish(ctx, m)
	}
	f.probed = f.sent
	return f.bus.Probe(ctx, m, f.gone)
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
	maps.Copy(header, extra)
	if e := runtime.ToWire(err); e != nil {
		header[messages.HeaderErrorCode] = strconv.Itoa(e.Code.HTTPStatus())
		header[messages.HeaderError] = e.Error()
	} else {
		header[messages.HeaderStatus] = messages.StatusEnd
	}
	return f.bus.Publish(ctx, bus.Message{Subject: f.reply, Header: header})
}
