package sim

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/internal/placer"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

var root = messages.Root(messages.DefaultRoot)

// simulation is a run, inside its bubble.
type simulation struct {
	cfg     Config
	dice    dice
	log     *slog.Logger
	book    logbook
	history *checker.Recorder
	stats   *Coverage

	server  *membus.Server
	net     *membus.Conn // the simulation's own: what is under way travels on it
	layout  bus.Layout
	nodes   []*node
	placers []*process

	begun  time.Time
	ctx    context.Context // of all that the simulation does
	cancel context.CancelFunc
	work   sync.WaitGroup
	calm   chan struct{} // closed when nothing goes wrong any more
	hitAim atomic.Bool

	mu   sync.Mutex
	down chan struct{} // not nil while the bus is away; closed when it is back

	deleted map[string]int // how often, by bucket and key
}

func newSimulation(cfg Config) (*simulation, error) {
	s := &simulation{
		cfg: cfg, dice: dice(mix(cfg.Seed)), history: checker.NewRecorder(nil), stats: &Coverage{},
		server: membus.NewServer(), layout: bus.NewLayout(root, 1, bus.DefaultBudget), calm: make(chan struct{}),
		deleted: map[string]int{}, begun: time.Now(),
	}
	s.log = s.logger("simulation")
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.net = s.server.Connect("the simulation")
	if err := s.net.Ensure(s.ctx, s.layout); err != nil {
		return nil, err
	}
	for i := range cfg.Nodes {
		n, err := newNode(s, i)
		if err != nil {
			return nil, err
		}
		s.nodes = append(s.nodes, n)
	}
	for i := range cfg.Placers {
		p := newProcess(s, Placer, fmt.Sprintf("placer-%d", i+1))
		p.start = func(ctx context.Context, l *life) (func(context.Context), error) {
			pl, err := placer.Start(ctx, placer.Config{ID: p.name, Bus: busPort{l}, Layout: s.layout, Version: "0.0.0", Logger: s.logger(p.name)})
			if err != nil {
				return nil, err
			}
			return pl.Stop, nil
		}
		s.placers = append(s.placers, p)
	}
	return s, nil
}

// processes are all that can crash.
func (s *simulation) processes() []*process {
	var all []*process
	for _, n := range s.nodes {
		all = append(all, n.process)
	}
	return append(all, s.placers...)
}

// beside runs f until it returns; its context ends with the simulation.
func (s *simulation) beside(f func(context.Context)) {
	s.work.Go(func() { f(s.ctx) })
}

// later is something under way on the network, which outlives its sender.
func (s *simulation) later(after time.Duration, f func(context.Context, *membus.Conn)) {
	s.beside(func(ctx context.Context) {
		select {
		case <-time.After(after):
		case <-ctx.Done():
			return
		}
		s.busBack(ctx)
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		f(ctx, s.net)
	})
}

// faulty tells whether things go wrong now.
func (s *simulation) faulty() bool {
	select {
	case <-s.calm:
		return false
	default:
		return true
	}
}

// rest waits for a while, or only until all is calm.
func (s *simulation) rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.calm:
	case <-ctx.Done():
	}
}

// crashes tells whether a process crashes at this call.
func (s *simulation) crashes(p *process, at Point, n int) bool {
	if !s.faulty() {
		return false
	}
	if a := s.cfg.Aim; a != nil && a.Point == at && n >= a.Nth && s.hitAim.CompareAndSwap(false, true) {
		return true
	}
	return s.cfg.Faults[Crash] && s.dice.chance(crashOneIn, "crash/"+at.String(), p.name, n)
}

// crashOneIn is how many calls there are to a crash: with some hundred calls of
// a process in a minute, each crashes about once in that time.
const crashOneIn = 2000

func (s *simulation) now() time.Time { return time.Now().UTC() }

// record adds to the history; what has no time happens now.
func (s *simulation) record(e checker.Event) {
	if e.At.IsZero() {
		e.At = s.now()
	}
	s.history.Add(e)
}

func (s *simulation) busAway() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down != nil
}

// setBus takes the bus away from everybody, or gives it back.
func (s *simulation) setBus(up bool) {
	s.mu.Lock()
	if up == (s.down == nil) {
		s.mu.Unlock()
		return
	}
	if up {
		close(s.down)
		s.down = nil
	} else {
		s.down = make(chan struct{})
	}
	s.mu.Unlock()
	kind, c := checker.BusAway, cutOff
	if up {
		kind, c = checker.BusBack, cutNone
	}
	s.record(checker.Event{Kind: kind})
	for _, p := range s.processes() {
		if l := p.now(); l != nil {
			l.link.set(c)
		}
	}
}

// busBack waits until the bus is there.
func (s *simulation) busBack(ctx context.Context) {
	for {
		s.mu.Lock()
		down := s.down
		s.mu.Unlock()
		if down == nil {
			return
		}
		select {
		case <-down:
		case <-ctx.Done():
			return
		}
	}
}
