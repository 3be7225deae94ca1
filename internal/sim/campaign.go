package sim

import (
	"fmt"
	"testing"
)

// Campaign is many runs, which together are to come to every crash point.
type Campaign struct {
	Config               // of the first run; every next one has the next seed
	Runs   int           // how many at the least; 0: until Done says so
	Cover  bool          // go on until every crash point was hit, and fail if that takes too long
	Each   func(*Result) // called after each run; nil: nobody wants to know
	Stop   func() bool   // asked before each run; nil: never
}

// rounds is how often a point that was missed is aimed at again.
const rounds = 100

// Run does the runs one after the other, until one of them fails: that one is
// the result, and nil is none. An error says that there was no run, or what is
// missing of the coverage.
func (c Campaign) Run(t *testing.T) (*Coverage, *Result, error) {
	points, _ := Points()
	all := &Coverage{}
	seed := c.Seed
	one := func(aim *Aim, errands bool) (*Result, error) {
		cfg := c.Config
		cfg.Seed, seed = seed, seed+1
		cfg.Errands = cfg.Errands || errands
		if cfg.Faults[Crash] {
			cfg.Aim = aim
		}
		r, err := Run(t, cfg)
		if err != nil {
			return nil, err
		}
		all.Add(r.Coverage)
		if c.Each != nil {
			c.Each(r)
		}
		if !r.OK() {
			return r, nil
		}
		return nil, nil
	}
	stopped := func() bool { return c.Stop != nil && c.Stop() }
	for i := 0; (c.Runs == 0 || i < c.Runs) && !stopped(); i++ {
		if failed, err := one(aimFor(points, seed), false); failed != nil || err != nil {
			return all, failed, err
		}
	}
	for i := 0; c.Cover && i < rounds && !stopped(); i++ {
		for _, p := range all.Missed() {
			if failed, err := one(&Aim{Point: p, Nth: 1}, true); failed != nil || err != nil {
				return all, failed, err
			}
		}
	}
	return all, nil, c.uncovered(all)
}

// aimFor is the crash that a seed aims at: one point after the other, early or
// late among the calls.
func aimFor(points []Point, seed uint64) *Aim {
	return &Aim{Point: points[seed%uint64(len(points))], Nth: 1 + int(mix(seed)%12)}
}

// uncovered says which crash points no run has hit, and which calls are made
// that are listed as never made.
func (c Campaign) uncovered(all *Coverage) error {
	_, never := Points()
	for p, why := range never {
		if n := all.Calls(p); n > 0 {
			return fmt.Errorf("%s is listed as never made (%s), and was made %d times", p, why, n)
		}
	}
	if missed := all.Missed(); c.Cover && len(missed) > 0 {
		return fmt.Errorf("no process crashed at %d of the points, such as %s (called %d times): %v",
			len(missed), missed[0], all.Calls(missed[0]), missed)
	}
	return nil
}
