package membus

import "time"

// recent remembers the ids of messages for a while.
type recent struct {
	window time.Duration
	seqs   map[string]uint64
	order  []idAt // oldest first
}

type idAt struct {
	id string
	at time.Time
}

func newRecent(window time.Duration) recent {
	return recent{window: window, seqs: map[string]uint64{}}
}

// find is the sequence of the message that had the id, if it was lately.
func (r *recent) find(id string, now time.Time) (uint64, bool) {
	n := 0
	for n < len(r.order) && now.Sub(r.order[n].at) >= r.window {
		delete(r.seqs, r.order[n].id)
		n++
	}
	r.order = r.order[n:]
	seq, ok := r.seqs[id]
	return seq, ok
}

func (r *recent) add(id string, seq uint64, now time.Time) {
	if id == "" {
		return
	}
	r.seqs[id] = seq
	r.order = append(r.order, idAt{id, now})
}
