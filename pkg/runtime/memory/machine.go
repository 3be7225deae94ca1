package memory

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Machine is a computer in memory. It outlives the Runtimes over it.
type Machine struct {
	cfg Config

	mu         sync.Mutex // guards all below and the containers' fields
	closed     bool
	images     map[string]*held // by reference in full
	containers map[runtime.ContainerID]*container
	graves     map[runtime.ContainerID]*container // removed, for their output
	graveOrder []runtime.ContainerID
	programs   sync.WaitGroup // one for each process
}

// NewMachine makes a machine without images and containers. Its caller must
// Close it.
func NewMachine(cfg Config) (*Machine, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	cfg.Platforms = slices.Clone(cfg.Platforms)
	return &Machine{
		cfg:        cfg,
		images:     map[string]*held{},
		containers: map[runtime.ContainerID]*container{},
		graves:     map[runtime.ContainerID]*container{},
	}, nil
}

// Crash ends every program as a loss of power would, and returns when they have
// ended: their containers are PhaseFailed, their outcomes runtime_error. The
// machine itself is up again at once, with all it held.
func (m *Machine) Crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endAll()
}

// Close ends every program, as Crash does, and the machine with them: every
// later call of its Runtimes is Unavailable. It returns when nothing runs any
// more, and may be called again.
func (m *Machine) Close() error {
	m.mu.Lock()
	m.closed = true
	m.endAll()
	for _, c := range m.containers {
		c.turn.changed() // for those who wait and whom nobody else would tell
	}
	m.mu.Unlock()
	m.programs.Wait()
	return nil
}

// endAll loses every process and waits, without the lock, until all are gone.
func (m *Machine) endAll() {
	for _, c := range m.containers {
		for p := c.process; p != nil && c.process == p; {
			p.lose()
			change := c.turn.next()
			m.mu.Unlock()
			<-change
			m.mu.Lock()
		}
	}
}

// run starts a process; ended is called, under the lock, when it is over.
func (m *Machine) run(prog program, write func(runtime.Stream, []byte), ended func(p *process, code int)) *process {
	p := &process{write: func(stream runtime.Stream, data []byte) {
		m.mu.Lock()
		defer m.mu.Unlock()
		write(stream, data)
	}}
	m.programs.Go(func() {
		code := prog(p)
		m.mu.Lock()
		defer m.mu.Unlock()
		if signal, _ := p.ending(); signal != 0 {
			code = exitSignal + signal
		}
		ended(p, code)
	})
	return p
}

// find is the container of that id.
func (m *Machine) find(id runtime.ContainerID) (*container, error) {
	if c, ok := m.containers[id]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("container %s: no such container: %w", id, errdefs.ErrNotFound)
}

// bury takes a container that does not run out of the machine, and keeps its
// output for a while.
func (m *Machine) bury(c *container) {
	delete(m.containers, c.id)
	c.removed = true
	c.turn.changed()
	if _, again := m.graves[c.id]; again {
		m.graveOrder = slices.DeleteFunc(m.graveOrder, func(id runtime.ContainerID) bool { return id == c.id })
	}
	m.graves[c.id] = c
	m.graveOrder = append(m.graveOrder, c.id)
	if len(m.graveOrder) > m.cfg.KeptLogs {
		delete(m.graves, m.graveOrder[0])
		m.graveOrder = slices.Delete(m.graveOrder, 0, 1)
	}
}

// container is a container and, while it runs, its processes.
type container struct {
	id        runtime.ContainerID
	owner     runtime.Owner
	name      string
	spec      messages.Spec
	image     Image
	imageRef  string // in full
	platform  messages.Platform
	program   program
	createdAt time.Time

	process    *process              // nil: it does not run
	execs      map[*process]struct{} // its other processes
	stops      int                   // calls of Stop that wait for its end
	startedAt  time.Time
	finishedAt time.Time
	exits      int                 // how often it has ended
	last       runtime.WaitOutcome // of the last end
	removed    bool
	log        journal
	turn       broadcast // something of this has changed
}

func (c *container) state() runtime.State {
	switch {
	case c.process != nil && c.stops > 0:
		return runtime.State{Phase: runtime.PhaseStopping}
	case c.process != nil:
		return runtime.State{Phase: runtime.PhaseRunning}
	case c.exits == 0:
		return runtime.State{Phase: runtime.PhasePending}
	case c.last.Reason == messages.ExitRuntimeError:
		return runtime.State{Phase: runtime.PhaseFailed, Reason: lostReason}
	}
	return runtime.State{Phase: runtime.PhaseExited, ExitCode: c.last.ExitCode}
}

const lostReason = "the machine went down while it ran"

// lostCode stands for an exit code that nobody knows.
const lostCode = 255

// running is nil, or says that the container should run for what is asked.
func (c *container) running(what string) error {
	if c.process != nil {
		return nil
	}
	return fmt.Errorf("%s %s: it is %s, not running: %w", what, c.id, c.state().Phase, errdefs.ErrFailedPrecondition)
}
