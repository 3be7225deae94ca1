package worker

import (
	"context"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// lookForImages learns what the next heartbeats say of the images that are here:
// their digests, each once, and no more than a heartbeat may hold.
func (w *Worker) lookForImages() {
	ctx, cancel := context.WithTimeout(w.ctx, lookWithin)
	defer cancel()
	held, err := w.cfg.Runtime.ListImages(ctx)
	if err != nil {
		w.log.Debug("the images cannot be listed just now", "error", err)
		return
	}
	var digests []string
	for _, i := range held {
		if i.Digest != "" {
			digests = append(digests, i.Digest)
		}
	}
	slices.Sort(digests)
	digests = slices.Compact(digests)
	digests = digests[:min(len(digests), messages.MaxImages)]
	w.held.Store(&digests)
}

// imagesHere is what was learned last.
func (w *Worker) imagesHere() []string {
	if known := w.held.Load(); known != nil {
		return *known
	}
	return nil
}
