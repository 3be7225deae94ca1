package sim

import (
	"math/rand/v2"
	"time"
)

// dice decide what happens, from the seed and from what it happens to alone: the
// nth call of that kind by that process. No generator is shared, so what one
// process does changes nothing for another, however goroutines are scheduled.
type dice uint64

// roll is the number for a kind of event, the nth of a process.
func (d dice) roll(kind, process string, n int) uint64 {
	h := uint64(d) ^ 0xcbf29ce484222325
	for _, s := range []string{kind, process} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 0x100000001b3
		}
		h = mix(h)
	}
	return mix(h + uint64(n))
}

// mix is the finalizer of splitmix64.
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// chance is true in one of so many cases; 0 is never.
func (d dice) chance(oneIn int, kind, process string, n int) bool {
	return oneIn > 0 && d.roll(kind, process, n)%uint64(oneIn) == 0
}

// upTo is a duration below the limit.
func (d dice) upTo(limit time.Duration, kind, process string, n int) time.Duration {
	return time.Duration(d.roll(kind, process, n) % uint64(limit))
}

// sequence is a generator for something that one goroutine alone decides.
func (d dice) sequence(kind string) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(d), d.roll(kind, "", 0)))
}
