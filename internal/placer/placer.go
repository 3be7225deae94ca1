// Package placer is the shell around package placement: it takes events from
// the bus, asks placement.Next what becomes of the job, writes the record by
// compare-and-set, acknowledges, and performs the effects.
//
// A placer holds no truth. What it keeps in memory is a copy of the records,
// fed by the bucket's own changes, and a table of the nodes it hears; it can be
// killed at any moment, and any other placer, or the next one, goes on from the
// records. So there may be one, or five, and none is the leader.
//
// Everything about one job happens in one lane, one thing after the other;
// different jobs go on side by side. What waits for a node, a command and its
// answer, happens beside the lanes and comes back to them as an event.
//
// What comes with time alone comes from the sweep: silent nodes are judged, but
// by nobody who was not listening himself; jobs are told that their node is
// lost, after the last thing that the node has said of them; records that stood
// still are taken up, by the placer whose turn it is; quiet jobs are asked about,
// and nodes for what they run.
//
// Reading order: placer.go, streams.go and apply.go (an event comes in),
// perform.go, errands.go, command.go, xkey.go, done.go, delete.go, names.go,
// locate.go (what follows),
// sweep.go, turn.go, nodes.go, lost.go, leases.go, drain.go, quiet.go, reconcile.go
// (what comes with time), verbs.go (what operators ask).
package placer

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

// Config is what a placer needs.
type Config struct {
	ID      string        // a token; unique among the placers
	Bus     bus.Bus       // the placer does not close it
	Root    messages.Root // default: messages.DefaultRoot
	Layout  bus.Layout    // made and checked at start
	Version string
	Logger  *slog.Logger // default: slog.Default

	// Key opens the credentials that jobs bring along; all placers need the same.
	// Default: one that they keep in the store.
	Key *seal.Key

	// RequestTimeout is how long a command waits for its answer, and half of
	// how long a record must have stood still before it is taken up. Default 5 s.
	RequestTimeout time.Duration
	// Sweep is the pause between looks at the records that wait. Default 1 s.
	Sweep time.Duration
	// Settle is how long an accepted task may stay unwritten, since most end
	// soon and their end is written anyway. Default 1 s.
	Settle time.Duration
	// Heartbeat is the interval of the placer's own. Default 3 s.
	Heartbeat time.Duration
	// QuietAfter is how long a running job may be quiet before its worker is
	// asked about it. Default 1 min.
	QuietAfter time.Duration
	// Reconcile is the pause between looks at what a node runs. Default 5 min.
	Reconcile time.Duration
	// MovesAtOnce is how many services leave a node that drains at the same time.
	// Default 4.
	MovesAtOnce int
}

func (c Config) withDefaults() (Config, error) {
	if err := messages.CheckToken("id", c.ID); err != nil {
		return c, err
	}
	if c.Bus == nil {
		return c, fmt.Errorf("placer: no bus is given")
	}
	if c.Root == "" {
		c.Root = messages.DefaultRoot
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		fallback time.Duration
	}{
		{"request timeout", &c.RequestTimeout, 5 * time.Second},
		{"sweep", &c.Sweep, time.Second},
		{"settle", &c.Settle, time.Second},
		{"heartbeat", &c.Heartbeat, 3 * time.Second},
		{"quiet after", &c.QuietAfter, time.Minute},
		{"reconcile", &c.Reconcile, 5 * time.Minute},
	} {
		if *d.value == 0 {
			*d.value = d.fallback
		}
		if *d.value < 0 {
			return c, fmt.Errorf("placer: %s: %v is not allowed; want a duration above 0", d.name, *d.value)
		}
	}
	if c.MovesAtOnce == 0 {
		c.MovesAtOnce = 4
	}
	if c.MovesAtOnce < 0 {
		return c, fmt.Errorf("placer: moves at once: %d is not allowed; want at least 1", c.MovesAtOnce)
	}
	return c, c.Root.Validate()
}

// Bounds of what a placer asks of workers at the same time.
const (
	mostAsks      = 16 // about quiet jobs
	mostLists     = 8  // for what they run
	mostInquiries = 64 // whether they are there
	mostDrains    = 64 // to answer when nothing is left
)

// Placer is a running placer.
type Placer struct {
	cfg     Config
	log     *slog.Logger
	jobs    bus.Bucket
	names   bus.Bucket
	keys    bus.Bucket
	records *records
	fleet   *fleet
	leases  *leases
	flights *flights
	placers *placers
	lanes   *lanes
	early   *earlyMessages
	started time.Time

	asks, lists, inquiries, searches, drains gate

	listening time.Time // the sweep's: since when it has kept pace

	ctx    context.Context // of effects; ends when the placer stops
	cancel context.CancelFunc
	work   sync.WaitGroup // what goes on beside the lanes
	subs   []bus.Subscription
	wake   chan struct{} // a look at the waiting records is wanted now
}

// Start makes the streams, begins to hear, answer and place, and returns. ctx
// bounds the start alone; Stop ends the placer.
func Start(ctx context.Context, cfg Config) (*Placer, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := cfg.Bus.Ensure(ctx, cfg.Layout); err != nil {
		return nil, fmt.Errorf("prepare the bus: %w", err)
	}
	p := &Placer{
		cfg:     cfg,
		log:     cfg.Logger.With("placer", cfg.ID),
		jobs:    cfg.Bus.Bucket(cfg.Root.Stream(messages.BucketJobs)),
		names:   cfg.Bus.Bucket(cfg.Root.Stream(messages.BucketNames)),
		keys:    cfg.Bus.Bucket(cfg.Root.Stream(messages.BucketKeys)),
		records: newRecords(),
		fleet:   newFleet(),
		leases:  newLeases(),
		flights: newFlights(),
		asks:    newGate(mostAsks), lists: newGate(mostLists), inquiries: newGate(mostInquiries),
		searches: newGate(mostSearches), drains: newGate(mostDrains),
		placers: newPlacers(cfg.ID),
		lanes:   newLanes(64),
		early:   newEarlyMessages(2 * cfg.RequestTimeout),
		started: time.Now(),
		wake:    make(chan struct{}, 1),
	}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.beside(p.watchRecords)
	if err := p.subscribe(ctx); err != nil {
		p.Stop(ctx)
		return nil, err
	}
	p.beside(p.sweep)
	p.beside(p.beat)
	return p, nil
}

// Stop stops taking in, lets what runs finish until ctx ends, and leaves the
// rest to the other placers or the next one.
func (p *Placer) Stop(ctx context.Context) {
	for _, s := range p.subs {
		if err := s.Stop(ctx); err != nil {
			p.log.Warn("a subscription did not stop in time", "error", err)
		}
	}
	p.cancel()
	p.lanes.close()
	p.work.Wait()
}

// beside runs f next to the lanes until the placer stops.
func (p *Placer) beside(f func(context.Context)) {
	p.work.Go(func() { f(p.ctx) })
}

// subscribe begins to hear: heartbeats first, so that the first job finds
// peers, then requests, then the streams.
func (p *Placer) subscribe(ctx context.Context) error {
	for _, start := range []func(context.Context) (bus.Subscription, error){
		p.hearNodes, p.hearLeases, p.hearPlacers, p.serve, p.consumeOutcomes, p.consumeIntake,
	} {
		sub, err := start(ctx)
		if err != nil {
			return err
		}
		p.subs = append(p.subs, sub)
	}
	return nil
}
