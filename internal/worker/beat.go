package worker

import (
	"context"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// beat sends the worker's heartbeat at its interval, and at once when what the
// node can do or has free may have changed.
func (w *Worker) beat() {
	tick := time.NewTicker(w.cfg.Heartbeat)
	defer tick.Stop()
	pulse := time.NewTicker(w.still.limit / 4)
	defer pulse.Stop()
	for {
		if err := w.sendBeat(w.ctx, w.cfg.TTL); err != nil && w.ctx.Err() == nil {
			w.log.Warn("a heartbeat was not sent", "error", err)
		}
		if !w.awaitBeat(tick.C, pulse.C) {
			return
		}
	}
}

// awaitBeat waits until the next heartbeat is due, and at every pulse sees
// whether time has stood still; it is false when the worker stops.
func (w *Worker) awaitBeat(tick, pulse <-chan time.Time) bool {
	for {
		select {
		case <-w.ctx.Done():
			return false
		case <-pulse:
			w.stoodStill()
			continue
		case <-tick:
			// At once, since a runtime that stands still lets both wait.
			var looks sync.WaitGroup
			looks.Go(w.lookForContainers)
			looks.Go(w.lookForImages)
			looks.Wait()
		case <-w.beatNow:
			// Many jobs that come and go at once share one heartbeat.
			select {
			case <-w.ctx.Done():
				return false
			case <-time.After(min(beatGap, w.cfg.Heartbeat)):
			}
		}
		return true
	}
}

// beatGap is the least pause between two heartbeats.
const beatGap = 200 * time.Millisecond

// changed wants a heartbeat soon.
func (w *Worker) changed() {
	select {
	case w.beatNow <- struct{}{}:
	default:
	}
}

// roomChanged wants a heartbeat soon if an attempt takes or frees what others
// may wait for. One that reserves nothing is no news: a busy fleet would do
// nothing but listen to itself.
func (w *Worker) roomChanged(at *active) {
	if at.Job.Spec == nil {
		return
	}
	if r := at.Job.Spec.Resources; r.CPUMilli > 0 || r.Memory > 0 || r.PIDs > 0 || r.GPU > 0 {
		w.changed()
	}
}

// goodbye says that the node is leaving, if it owes nothing.
func (w *Worker) goodbye(ctx context.Context) {
	if w.attempts.count() > 0 {
		return
	}
	if waiting, err := w.cfg.Journal.Queue(1); err != nil || len(waiting) > 0 {
		return
	}
	if err := w.sendBeat(ctx, 0); err != nil {
		w.log.Warn("no goodbye was said", "error", err)
	}
}

// sendBeat sends one heartbeat. Heartbeats are sent one after the other: the
// loop ends before goodbye.
func (w *Worker) sendBeat(ctx context.Context, ttl time.Duration) error {
	data, err := messages.Encode(w.capabilities(ctx, w.seq.Add(1), ttl))
	if err != nil {
		return err
	}
	return w.cfg.Bus.Publish(ctx, bus.Message{Subject: w.cfg.Root.Capabilities(w.cfg.Node), Data: data})
}

// capabilities is what the node says of itself now.
func (w *Worker) capabilities(ctx context.Context, seq uint64, ttl time.Duration) messages.Capabilities {
	c := messages.Capabilities{
		V: messages.Version, Node: w.cfg.Node, Incarnation: w.Incarnation(), Seq: seq,
		At: time.Now(), Interval: messages.Duration(w.cfg.Heartbeat), TTL: messages.Duration(ttl),
		Host: w.cfg.Host, Platforms: []messages.RuntimePlatform{},
		Free: w.attempts.free(), Total: w.cfg.Total,
		Labels: w.cfg.Labels, Draining: w.attempts.isClosed(), Containers: w.attempts.containers(), Images: w.imagesHere(),
		XKey: w.cfg.Key.Public(), Version: w.cfg.Version,
	}
	if ttl == 0 {
		return c // it leaves: what it could run does not matter
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	for _, m := range w.cfg.Runtime.Members(ctx) {
		if m.Err != nil {
			w.log.Debug("a runtime offers nothing just now", "runtime", m.Name, "error", m.Err)
		}
		for _, p := range m.Platforms {
			c.Platforms = append(c.Platforms, messages.RuntimePlatform{Platform: p, Runtime: m.Name})
		}
	}
	return c
}
