package worker

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// statsEvery is the pause between two frames of figures.
const statsEvery = time.Second

// statsVerb answers with a container's figures, once or as frames.
func (w *Worker) statsVerb(r bus.Request) {
	req, err := messages.DecodeRequest[messages.StatsRequest](r.Message().Data)
	if err == nil && req.Stream {
		streaming(w, w.streamStats)(r)
		return
	}
	single(w, w.stats)(r)
}

func (w *Worker) stats(ctx context.Context, req messages.StatsRequest) (any, error) {
	d, err := w.named(ctx, req.Container)
	if err != nil {
		return nil, err
	}
	s, err := w.cfg.Runtime.Stats(ctx, d.ID)
	s.V = messages.Version
	return s, err
}

// streamStats ends well when the container does.
func (w *Worker) streamStats(ctx context.Context, f *frames, req messages.StatsRequest) (bus.Header, error) {
	d, err := w.named(ctx, req.Container)
	if err != nil {
		return nil, err
	}
	for s, err := range w.cfg.Runtime.StatsStream(ctx, d.ID, statsEvery) {
		if err != nil {
			return nil, err
		}
		s.V = messages.Version
		if err := f.json(ctx, s); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
