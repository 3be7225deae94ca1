package placer

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// placerTTL is how many missed heartbeats make a placer forgotten.
const placerTTL = 3

// placers is who else places, and whether this one hears itself.
type placers struct {
	self  string
	mu    sync.Mutex
	heard map[string]time.Time
	echo  time.Time // when its own heartbeat was last heard
	since time.Time // since when they have come back without a gap
}

func newPlacers(self string) *placers {
	return &placers{self: self, heard: map[string]time.Time{}}
}

func (p *placers) hear(id string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard[id] = now
	if id == p.self {
		p.echo = now
		if p.since.IsZero() {
			p.since = now
		}
	}
}

// hearsItself is since when this placer's own heartbeats have come back to it,
// none later than gap after the one before; zero when they do not. A connection
// that seems to stand may be cut all the same, for minutes before its client
// notices: then the silence of the nodes says nothing of them.
func (p *placers) hearsItself(now time.Time, gap time.Duration) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.echo) > gap {
		p.since = time.Time{}
	}
	return p.since
}

// alive is every placer heard since the given time, and this one.
func (p *placers) alive(since time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.heard, func(_ string, at time.Time) bool { return at.Before(since) })
	p.heard[p.self] = time.Now()
	return slices.Sorted(maps.Keys(p.heard))
}

// hearPlacers listens to the heartbeats of the placers.
func (p *Placer) hearPlacers(context.Context) (bus.Subscription, error) {
	return p.cfg.Bus.Subscribe(p.cfg.Root.Placers(messages.Any), func(m bus.Message) {
		beat, err := messages.Decode[messages.PlacerBeat](m.Data)
		if err == nil {
			err = beat.CheckSubject(p.cfg.Root.Token(m.Subject, 1))
		}
		if err != nil {
			p.log.Warn("a placer's heartbeat was dropped", "subject", m.Subject, "error", err)
			return
		}
		p.placers.hear(beat.ID, time.Now())
	})
}

// beat sends this placer's heartbeat.
func (p *Placer) beat(ctx context.Context) {
	tick := time.NewTicker(p.cfg.Heartbeat)
	defer tick.Stop()
	for seq := uint64(1); ; seq++ {
		beat := messages.PlacerBeat{V: messages.Version, ID: p.cfg.ID, At: time.Now(), Seq: seq}
		data, err := messages.Encode(beat)
		if err == nil {
			err = p.cfg.Bus.Publish(ctx, bus.Message{Subject: p.cfg.Root.Placers(p.cfg.ID), Data: data})
		}
		if err != nil && ctx.Err() == nil {
			p.log.Debug("a heartbeat was not sent", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// livePlacers is who places now.
func (p *Placer) livePlacers() []string {
	return p.placers.alive(time.Now().Add(-placerTTL * p.cfg.Heartbeat))
}
