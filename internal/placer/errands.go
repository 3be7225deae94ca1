package placer

import (
	"context"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/pkg/placement"
)

// errands are what is to be sent to nodes, in order. Each tells whether it was
// answered.
type errands map[string][]func(context.Context) (answered bool)

func (e errands) add(node string, errand func(context.Context) bool) {
	e[node] = append(e[node], errand)
}

// prepare adds a command, unless the same one is on its way. The one that is may
// be the first, and what is concluded from nobody hearing it would be wrong if
// it were not the only one.
func (p *Placer) prepare(all errands, d deed, c placement.Command) {
	f := flight{d.job, c}
	if !p.flights.begin(f) {
		return
	}
	begun := time.Now()
	surely := func() bool { return d.first(c) && time.Since(begun) <= p.cfg.RequestTimeout }
	all.add(c.Node, func(ctx context.Context) bool {
		defer p.flights.end(f)
		return ctx.Err() == nil && p.inTurn(ctx, &d) && p.command(ctx, d.rec, c, surely)
	})
}

// run sends what is to be sent: to each node one thing after the other. When one
// is not answered, the rest is left to the sweep.
func (p *Placer) run(all errands) {
	for _, list := range all {
		p.beside(func(ctx context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			for _, errand := range list {
				if !errand(ctx) {
					cancel()
				}
			}
		})
	}
}

// flight is a command of a job that is on its way.
type flight struct {
	job string
	placement.Command
}

// flights are the commands that are on their way.
type flights struct {
	mu  sync.Mutex
	all map[flight]struct{}
}

func newFlights() *flights { return &flights{all: map[flight]struct{}{}} }

func (f *flights) begin(one flight) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.all[one]
	f.all[one] = struct{}{}
	return !known
}

func (f *flights) end(one flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, one)
}
