package sim

import (
	"maps"
	"sync"
)

// Coverage is which calls were made and at which points processes crashed. Its
// methods are safe for concurrent use; the zero Coverage is empty.
type Coverage struct {
	mu    sync.Mutex
	calls map[Point]int // as points before the call
	hits  map[Point]int
}

func (c *Coverage) called(r Role, call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[Point]int{}
	}
	c.calls[Point{r, call, Before}]++
}

func (c *Coverage) hit(p Point) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hits == nil {
		c.hits = map[Point]int{}
	}
	c.hits[p]++
}

// Add adds another run's coverage.
func (c *Coverage) Add(other *Coverage) {
	other.mu.Lock()
	calls, hits := maps.Clone(other.calls), maps.Clone(other.hits)
	other.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[Point]int{}
	}
	if c.hits == nil {
		c.hits = map[Point]int{}
	}
	for p, n := range calls {
		c.calls[p] += n
	}
	for p, n := range hits {
		c.hits[p] += n
	}
}

// Hits is how often a process crashed at a point.
func (c *Coverage) Hits(p Point) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits[p]
}

// Calls is how often a call was made by processes of that role.
func (c *Coverage) Calls(p Point) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[Point{p.Role, p.Call, Before}]
}

// Missed are the points of all that were not hit.
func (c *Coverage) Missed() []Point {
	all, _ := Points()
	var missed []Point
	for _, p := range all {
		if c.Hits(p) == 0 {
			missed = append(missed, p)
		}
	}
	return missed
}

// Total is how many crashes there were, and at how many of how many points.
func (c *Coverage) Total() (crashes, points, of int) {
	all, _ := Points()
	for _, p := range all {
		if n := c.Hits(p); n > 0 {
			crashes, points = crashes+n, points+1
		}
	}
	return crashes, points, len(all)
}
