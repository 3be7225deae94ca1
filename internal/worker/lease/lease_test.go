package lease

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestTerms(t *testing.T) {
	for ttl, want := range map[time.Duration]struct{ longest, unsaid time.Duration }{
		10 * time.Second:       {6 * time.Second, 10 * time.Second / 3},
		time.Minute:            {36 * time.Second, 10 * time.Second},
		time.Second:            {200 * time.Millisecond, 200 * time.Millisecond},
		300 * time.Millisecond: {-290 * time.Millisecond, -290 * time.Millisecond},
	} {
		terms := For(ttl)
		if got := terms.LongestGrace(); got != want.longest {
			t.Errorf("ttl %v: the longest grace is %v, want %v", ttl, got, want.longest)
		}
		if got, ok := terms.Grace(0); got != want.unsaid || ok != (want.longest > 0) {
			t.Errorf("ttl %v: a job that does not say gets %v (%v), want %v", ttl, got, ok, want.unsaid)
		}
		if _, ok := terms.Grace(want.longest + 1); ok {
			t.Errorf("ttl %v: more than the longest grace fits", ttl)
		}
		if want.longest <= 0 {
			continue
		}
		// Whoever fits is not stopped while the bus is there: it is renewed twice
		// before.
		for _, grace := range []time.Duration{1, want.unsaid, want.longest} {
			h := Holder{Terms: terms, Held: true, Sent: 5 * time.Second}
			if every := terms.RenewEvery(grace); every <= 0 || h.Sent+2*every > h.StopAt(grace) {
				t.Errorf("ttl %v, grace %v: renewed every %v, stopped at %v after the renewal", ttl, grace, every, h.StopAt(grace)-h.Sent)
			}
		}
	}
}

func TestArithmetic(t *testing.T) {
	const s = time.Second
	h := Holder{Terms: For(10 * s), Held: true, Sent: 100 * s}
	if got := h.StopAt(3 * s); got != 105*s { // 100 + 10 - 1 (margin) - 1 (kill) - 3
		t.Errorf("it begins to stop at %v", got)
	}
	for now, want := range map[time.Duration]time.Duration{101 * s: 3 * s, 105 * s: 3 * s, 107 * s: s, 108 * s: 0, 200 * s: 0} {
		if got := h.GraceLeft(now, 3*s); got != want {
			t.Errorf("at %v it has %v left, want %v", now, got, want)
		}
	}
	h.Held = false
	if h.StopAt(3*s) != 0 || h.GraceLeft(101*s, 3*s) != 0 || h.Fresh(100*s, 0) {
		t.Error("a lease that is not held gives time")
	}
}

func TestAnUnknownRenewalIsSentAgainAsItWas(t *testing.T) {
	h := Holder{Terms: For(time.Minute), Seq: 4}
	first := h.Renew(time.Second, "j.1", 1)
	again := h.Renew(9*time.Second, "j.1", 2)
	if first != again || first.Expect != 4 || first.ID != "j.1/1" {
		t.Errorf("first %+v, then %+v", first, again)
	}
	h.Acknowledged(5)
	if !h.Held || h.Seq != 5 || h.Sent != time.Second {
		t.Errorf("acknowledged late it counts from %v: %+v", h.Sent, h)
	}
	if next := h.Renew(20*time.Second, "j.1", 3); next.Expect != 5 || next.ID == first.ID {
		t.Errorf("the next is %+v", next)
	}
}

func TestConflicts(t *testing.T) {
	for name, c := range map[string]struct {
		held        bool
		seq, last   uint64
		lost, known bool
	}{
		"held, another wrote":              {true, 4, 6, true, true},
		"held, not told who":               {true, 4, 0, false, false},
		"not held, another wrote":          {false, 4, 6, false, true},
		"not held, gone":                   {false, 4, 0, false, true},
		"never held, an older life's":      {false, 0, 3, false, true},
		"never held, a write is under way": {false, 0, 0, false, true},
	} {
		h := Holder{Terms: For(time.Minute), Held: c.held, Seq: c.seq}
		h.Renew(time.Second, "j.1", 1)
		if lost, known := h.Conflict(c.last); lost != c.lost || known != c.known {
			t.Errorf("%s: lost %v, known %v", name, lost, known)
		}
		if c.known && (h.Held || h.Seq != c.last || h.Pending != nil) {
			t.Errorf("%s: left %+v", name, h)
		}
		if !c.known && (!h.Held || h.Pending == nil) {
			t.Errorf("%s: forgot what it holds: %+v", name, h)
		}
	}
}

// A model of the stream, a worker and a placer that watches: whatever is lost on
// the way, the placer never wins before the worker has stopped everything.
func TestNobodyWinsBeforeTheHolderHasStopped(t *testing.T) {
	for seed := range uint64(2000) {
		dice := rand.New(rand.NewPCG(seed, 7))
		terms := For(10 * time.Second)
		h := Holder{Terms: terms}
		var stream struct {
			seq     uint64
			by      string // "" a placer's
			id      string
			watched time.Duration // the placer has seen it since
		}
		grace := time.Duration(1+dice.IntN(6)) * time.Second
		var running, stopping bool
		var stopsBy time.Duration
		n := uint64(0)
		for now := time.Second; now < 3*time.Minute; now += 100 * time.Millisecond {
			if running && !stopping && now >= h.StopAt(grace) {
				stopping, stopsBy = true, now+h.GraceLeft(now, grace)+terms.Kill
			}
			if stopping && now >= stopsBy {
				running, stopping = false, false
			}
			if !h.Fresh(now, grace) && dice.IntN(3) == 0 && (h.Held || !running) {
				n++
				r := h.Renew(now, "j.1", n)
				arrives, answered := dice.IntN(4) > 0, dice.IntN(3) > 0
				switch {
				case arrives && stream.id == r.ID: // recognised
				case arrives && stream.seq == r.Expect:
					stream.seq, stream.by, stream.id, stream.watched = stream.seq+1, "worker", r.ID, now
				}
				switch {
				case !arrives || !answered:
				case stream.id == r.ID:
					h.Acknowledged(stream.seq)
				default:
					h.Conflict(stream.seq)
				}
			}
			if !running && h.Held && now < h.StopAt(grace) {
				running = true
			}
			// The placer's clock is a twentieth fast.
			if stream.by == "worker" && (now-stream.watched)*21/20 >= terms.TTL && dice.IntN(5) == 0 {
				if running {
					t.Fatalf("seed %d: at %v the lease is declared over, and it runs (stopping %v)", seed, now, stopping)
				}
				stream.seq, stream.by, stream.id = stream.seq+1, "", ""
			}
		}
	}
}

func TestTheBootClockGoesOn(t *testing.T) {
	before := BootClock{}.Now()
	if before <= 0 {
		t.Fatalf("it is %v", before)
	}
	for BootClock.Now(BootClock{}) == before {
	}
	if after := (BootClock{}).Now(); after < before {
		t.Errorf("it went from %v to %v", before, after)
	}
}
