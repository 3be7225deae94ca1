package supervise

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// walk is a container, its worker, and a supervision that knows of both only
// what it is told.
type walk struct {
	*bench
	rng *rand.Rand

	kept  Record // what the journal has
	runs  bool
	began time.Time
	last  time.Time // end of the last run

	starts  int  // by the supervision
	ends    int  // of runs that nobody had in hand
	cut     int  // ops that were cut short, each of which is ended by a start
	stopped bool // its end was asked for
	saidAt  time.Time
	said    []bool
}

// TestWalks lets everything happen in any order, workers killed at any moment
// included, and holds what comes of it against what was promised.
func TestWalks(t *testing.T) {
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		policies := []messages.RestartPolicy{messages.RestartNo, messages.RestartAlways, messages.RestartOnFailure, messages.RestartUnlessStopped}
		restart := &messages.Restart{Policy: policies[rng.IntN(4)], Max: rng.IntN(4)}
		kind := []messages.Kind{messages.KindTask, messages.KindService}[rng.IntN(2)]
		var health *messages.Health
		if rng.IntN(2) == 0 {
			health = checked()
		}
		w := &walk{bench: newBench(t, kind, restart, health), rng: rng}
		w.begin()
		for range 200 {
			if w.s.Over {
				break
			}
			w.step()
		}
		if t.Failed() {
			t.Fatalf("seed %d: %+v, %s, %s", seed, restart, kind, fmt.Sprint(health != nil))
		}
	}
}

func (w *walk) begin() {
	w.runs, w.began = true, w.now
	w.take(Runs{Began: w.now})
}

func (w *walk) step() {
	w.sleep(time.Duration(w.rng.IntN(5000)) * time.Millisecond)
	switch n := w.rng.IntN(20); {
	case n < 6:
		if at := Wake(w.plan, w.s); at.After(w.now) {
			w.now = at
		}
		w.take(Tick{})
	case n < 10 && w.runs:
		w.ends++
		w.exit(w.rng.IntN(2))
	case n < 13 && w.s.Up:
		w.take(w.check(w.rng.IntN(2) == 0))
	case n < 15:
		w.killed()
	case n == 15:
		w.op()
	case n == 16 && w.rng.IntN(4) == 0:
		w.take(StopAsked{})
		w.stopped = true
		if w.runs && w.rng.IntN(2) == 0 {
			w.killed()
		}
		if w.runs {
			w.exit(143)
		}
	}
}

// exit ends the container, of which the supervision hears.
func (w *walk) exit(code int) {
	w.runs, w.last = false, w.now
	w.take(w.bench.ended(code))
}

// op is a restart by somebody, which may be cut short.
func (w *walk) op() {
	w.take(Taken{})
	if w.s.Over {
		return
	}
	if w.runs {
		w.runs, w.last = false, w.now
		w.take(w.bench.ended(143))
	}
	if w.rng.IntN(3) == 0 {
		w.cut++
		w.killed()
		return
	}
	w.sleep(time.Second)
	w.runs, w.began = true, w.now
	w.take(LetGo{})
	w.look()
}

// killed ends the worker; the next one goes on from the journal. The container
// may end in between.
func (w *walk) killed() {
	if w.runs && w.rng.IntN(3) == 0 {
		w.ends++
		w.runs, w.last = false, w.now
	}
	w.s = Resume(w.kept)
	w.sleep(time.Second)
	w.look()
}

// look is the worker's: which run is there, and its end if it has ended.
func (w *walk) look() {
	if w.s.Over || w.s.Waiting() && !w.runs && w.s.SameRun(w.began, w.last) {
		return
	}
	w.take(Runs{Began: w.began, Gone: !w.runs})
	if !w.runs {
		w.take(Ended{Began: w.began, Finished: w.last, Code: 1, Reason: messages.ExitExited})
	}
}

// take takes an event in as the worker does, which may be killed before and after
// everything it does.
func (w *walk) take(ev Event) {
	before := w.s
	next, todo := Next(w.plan, w.s, ev, w.now)
	w.s = next
	if before.Differs(&next.Record) {
		w.kept = next.Record
	}
	for _, do := range todo { // with the journal's write
		if say, ok := do.(Say); ok {
			w.says(say.Healthy)
		}
	}
	if limit := w.plan.Max; limit > 0 && w.s.Restarts > limit || w.s.Restarts > w.ends {
		w.t.Errorf("%d restarts are counted, of at most %d, after %d ends", w.s.Restarts, limit, w.ends)
	}
	if slices.Contains(todo, Do(Start{})) {
		w.start()
	}
}

func (w *walk) start() {
	w.starts++
	switch {
	case w.runs:
		w.t.Error("it is started while it runs")
	case w.stopped:
		w.t.Error("it is started after its end was asked for")
	case w.starts > w.s.Restarts+w.cut:
		w.t.Errorf("%d starts, of which %d are counted, and %d end what was cut short", w.starts, w.s.Restarts, w.cut)
	}
	w.runs, w.began = true, w.now
	if w.rng.IntN(4) == 0 {
		w.killed() // before it could be noted
		return
	}
	w.take(Runs{Began: w.began})
}

func (w *walk) says(healthy bool) {
	if n := len(w.said); n == 0 && !healthy {
		w.t.Error("the first thing said is that it is not healthy")
	} else if n > 0 && (w.said[n-1] == healthy || w.now.Sub(w.saidAt) < sayEvery) {
		w.t.Errorf("after %v it is said that healthy is %v, as before or too soon", w.now.Sub(w.saidAt), healthy)
	}
	w.said, w.saidAt = append(w.said, healthy), w.now
}
