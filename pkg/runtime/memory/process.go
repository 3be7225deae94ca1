package memory

import (
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Signals that do something else than to end a process.
const (
	sigKill = 9
	sigCont = 18
	sigStop = 19
)

// process is a program that runs. It ends by itself or by a signal; frozen (by
// Pause) or stopped (by a signal) it stands still, and its clock with it.
type process struct {
	write func(stream runtime.Stream, data []byte)

	mu      sync.Mutex
	frozen  bool
	stopped bool
	pending int // a deadly signal that waits until the process goes on
	signal  int // the one that ended it
	lost    bool
	turn    broadcast
}

// raise delivers a signal as it works by default.
func (p *process) raise(signal int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch signal {
	case 17, 23, 28: // CHLD, URG, WINCH
		return
	case sigCont:
		p.stopped = false
	case sigStop, 20, 21, 22: // TSTP, TTIN, TTOU
		p.stopped = true
	case sigKill:
		p.end(signal)
	default:
		if p.pending == 0 {
			p.pending = signal
		}
	}
	p.goOn()
}

// freeze sets whether the process is frozen; false when it already was so.
func (p *process) freeze(frozen bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen == frozen {
		return false
	}
	p.frozen = frozen
	p.goOn()
	return true
}

func (p *process) isFrozen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.frozen
}

// lose ends the process because the machine under it is gone.
func (p *process) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = true
	p.end(sigKill)
	p.turn.changed()
}

// goOn follows a change of what holds the process up.
func (p *process) goOn() {
	if p.pending != 0 && !p.frozen && !p.stopped {
		p.end(p.pending)
	}
	p.turn.changed()
}

func (p *process) end(signal int) {
	if p.signal == 0 {
		p.signal = signal
	}
}

// ending is how the process ended, when its program has returned.
func (p *process) ending() (signal int, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signal, p.lost
}

// look is where the process stands, and what is closed when that changes.
func (p *process) look() (alive, still bool, change <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signal == 0, p.frozen || p.stopped, p.turn.next()
}

// proceed waits until the process may take its next step; false: it was ended.
func (p *process) proceed() bool {
	for {
		alive, still, change := p.look()
		if !alive || !still {
			return alive
		}
		<-change
	}
}

// print writes output; false: the process was ended.
func (p *process) print(stream runtime.Stream, text string) bool {
	if !p.proceed() {
		return false
	}
	p.write(stream, []byte(text))
	return true
}

// sleep lets so much time pass, not counting that in which the process stood
// still; negative: for ever. False: the process was ended.
func (p *process) sleep(left time.Duration) bool {
	for {
		alive, still, change := p.look()
		switch {
		case !alive:
			return false
		case still, left < 0:
			<-change
			continue
		case left == 0:
			return true
		}
		begun := time.Now()
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
			left = 0
		case <-change:
			timer.Stop()
			left = max(0, left-time.Since(begun))
		}
	}
}
