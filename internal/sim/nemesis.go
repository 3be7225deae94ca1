package sim

import (
	"context"
	"math/rand/v2"
	"time"
)

// nemesis makes larger things go wrong, one after the other, which may overlap.
type nemesis struct {
	s   *simulation
	rng *rand.Rand
}

// run does so until all is calm.
func (m *nemesis) run(ctx context.Context) {
	acts := m.acts()
	for len(acts) > 0 && m.s.faulty() && ctx.Err() == nil {
		m.s.rest(ctx, m.between(500*time.Millisecond, 6*time.Second))
		if m.s.faulty() && ctx.Err() == nil {
			acts[m.rng.IntN(len(acts))]()
		}
	}
}

// acts are what can go wrong in this run.
func (m *nemesis) acts() []func() {
	var acts []func()
	for _, a := range []struct {
		fault  Fault
		weight int
		act    func()
	}{
		{Crash, 3, m.kill}, {Restart, 2, m.restart}, {Partition, 4, m.cut}, {Bus, 1, m.bus},
		{Suspend, 2, m.suspend}, {Power, 1, m.power}, {Runtime, 1, m.runtime},
	} {
		for range a.weight {
			if m.s.cfg.Faults[a.fault] {
				acts = append(acts, a.act)
			}
		}
	}
	return acts
}

func (m *nemesis) between(least, most time.Duration) time.Duration {
	return least + time.Duration(m.rng.Int64N(int64(most-least)))
}

// while undoes something after a while, or when all is calm.
func (m *nemesis) while(d time.Duration, undo func()) {
	m.s.beside(func(ctx context.Context) {
		m.s.rest(ctx, d)
		undo()
	})
}

func (m *nemesis) some() *process {
	all := m.s.processes()
	return all[m.rng.IntN(len(all))]
}

func (m *nemesis) someNode() *node { return m.s.nodes[m.rng.IntN(len(m.s.nodes))] }

// kill is a kill -9, at no particular call.
func (m *nemesis) kill() { m.some().now().crash("killed") }

func (m *nemesis) restart() { m.some().order() }

// cut cuts a process off, for less than a time-to-live or for much longer.
func (m *nemesis) cut() {
	p := m.some()
	cuts := []cut{cutOut, cutIn, cutBoth, cutOff, cutOff}
	c := cuts[m.rng.IntN(len(cuts))]
	d := m.between(time.Second, 8*time.Second)
	if m.rng.IntN(2) == 0 {
		d = m.between(12*time.Second, 40*time.Second)
	}
	l := p.now()
	p.gone(away, string(c))
	l.link.set(c)
	if c == cutIn && d > unnoticed {
		// A client notices in the end that nothing comes in any more.
		m.while(unnoticed, func() {
			if m.s.faulty() {
				l.link.set(cutOff)
			}
		})
	}
	m.while(d, func() {
		if !m.s.busAway() {
			l.link.set(cutNone)
		}
		p.back(away)
	})
}

// unnoticed is how long a connection can take in nothing before its client
// gives it up: what it sends is not acknowledged either.
const unnoticed = 6 * time.Second

// bus restarts the bus. What it has acknowledged is on its disk.
func (m *nemesis) bus() {
	m.s.setBus(false)
	m.while(m.between(500*time.Millisecond, 15*time.Second), func() { m.s.setBus(true) })
}

func (m *nemesis) suspend() {
	p := m.some()
	p.gone(held, "suspended")
	p.suspend()
	m.while(m.between(time.Second, 30*time.Second), func() {
		p.wake()
		p.back(held)
	})
}

func (m *nemesis) power() { m.someNode().cutPower() }

func (m *nemesis) runtime() {
	n := m.someNode()
	n.asleep.Store(true)
	m.while(m.between(time.Second, 20*time.Second), func() { n.asleep.Store(false) })
}
