package sim

import (
	"context"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/checker"
)

// process is a worker or placer that lives again and again.
type process struct {
	s    *simulation
	role Role
	name string
	skew time.Duration // of its wall clock
	// start begins a life; stop ends it in good order, or lets its goroutines
	// come to an end once it has crashed.
	start func(ctx context.Context, l *life) (stop func(context.Context), err error)

	orders chan struct{} // to stop in good order

	mu     sync.Mutex
	counts map[string]int
	life   *life
	held   chan struct{} // not nil while it is suspended
	absent map[absence]bool
}

func newProcess(s *simulation, role Role, name string) *process {
	p := &process{
		s: s, role: role, name: name,
		orders: make(chan struct{}, 1), counts: map[string]int{}, absent: map[absence]bool{},
	}
	if s.cfg.Faults[Skew] {
		p.skew = s.dice.upTo(maxSkew, "skew", name, 0) - maxSkew/2
	}
	return p
}

// maxSkew is how far two wall clocks may be apart.
const maxSkew = 30 * time.Second

// run is the process until ctx ends: it lives, ends, and is started again after
// a while.
func (p *process) run(ctx context.Context) {
	for n := 1; ; n++ {
		l := p.newLife()
		p.mu.Lock()
		p.life = l
		p.mu.Unlock()
		p.live(ctx, l)
		if ctx.Err() != nil {
			return
		}
		p.s.rest(ctx, time.Second+p.s.dice.upTo(12*time.Second, "down", p.name, n))
		if ctx.Err() != nil {
			return
		}
	}
}

// live is one life, from its start to its end.
func (p *process) live(ctx context.Context, l *life) {
	starting, cancel := l.bound(ctx)
	stop, err := p.start(starting, l)
	cancel()
	if err != nil {
		p.s.log.Info("did not start", "process", p.name, "error", err)
		l.crash("did not start")
		return
	}
	p.back(dead)
	select {
	case <-l.over.Done():
	case <-p.orders:
		p.gone(dead, "stopped")
		p.leave(l, stop)
		return
	case <-ctx.Done():
		p.leave(l, stop)
		return
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	stop(over)
}

// leave ends a life in good order.
func (p *process) leave(l *life, stop func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stop(ctx)
	l.crash("stopped")
}

// count counts a call, over all lives.
func (p *process) count(call string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[call]++
	return p.counts[call]
}

func (p *process) now() *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.life
}

// suspend lets the process stand still; its containers go on.
func (p *process) suspend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(chan struct{})
	}
}

// order asks the process to stop in good order.
func (p *process) order() {
	select {
	case p.orders <- struct{}{}:
	default:
	}
}

func (p *process) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != nil {
		close(p.held)
		p.held = nil
	}
}

// suspended is closed when the process goes on; nil: it does.
func (p *process) suspended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// absence is why a process does not answer.
type absence string

const (
	dead absence = "dead"
	held absence = "suspended"
	away absence = "cut off"
)

// gone notes for the history that the process does not answer.
func (p *process) gone(why absence, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := len(p.absent) == 0
	p.absent[why] = true
	if first {
		p.note(checker.NodeAway, checker.PlacerAway, string(why)+": "+note)
	}
}

// back notes that one reason for its absence is over.
func (p *process) back(why absence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.absent[why] {
		return
	}
	delete(p.absent, why)
	if len(p.absent) == 0 {
		p.note(checker.NodeBack, checker.PlacerBack, "")
	}
}

func (p *process) note(worker, placer checker.Kind, note string) {
	kind := worker
	if p.role == Placer {
		kind = placer
	}
	p.s.record(checker.Event{Kind: kind, Node: p.name, Note: note})
}
