package placer

import (
	"time"
)

// turns is who of the live placers looks after what: for each key the one whose
// name hashes highest together with it (rendezvous hashing), so that a placer
// that comes or goes moves its own share alone. It only makes collisions rare;
// compare-and-set decides them.
type turns struct {
	self string
	live []string      // this placer among them
	slow time.Duration // how long a record stands still before it is taken up
}

// mine tells whether this placer is the one that looks after the key.
func (t turns) mine(key string) bool { return owner(t.live, key) == t.self }

// patience is how long this placer lets the job's record stand still before it
// acts on it: its owner acts at once where nobody else can be at work on it
// (idle), else when whoever is has had its time; the others three times as late.
func (t turns) patience(job string, idle bool) time.Duration {
	switch {
	case !t.mine(job):
		return 3 * t.slow
	case idle:
		return 0
	}
	return t.slow
}

// owner is the placer whose name hashes highest with the key.
func owner(placers []string, key string) string {
	best, most := "", uint64(0)
	for _, id := range placers {
		if h := rendezvous(id, key); best == "" || h > most || h == most && id < best {
			best, most = id, h
		}
	}
	return best
}

// rendezvous is FNV-1a over both names, finished so that every bit counts.
func rendezvous(id, key string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range [...]string{id, "/", key} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	return h ^ h>>27
}

// turns is who places now, as far as this placer has heard.
func (p *Placer) turns() turns {
	return turns{self: p.cfg.ID, live: p.livePlacers(), slow: 2 * p.cfg.RequestTimeout}
}
