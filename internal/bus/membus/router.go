package membus

import (
	"slices"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// route leads messages of a subject to a listener.
type route struct {
	conn    *Conn // of the listener
	subject string
	pattern pattern
	queue   string // those of one queue on one subject divide the messages
	deliver func(bus.Message)
}

// router knows who listens where. Subjects without wildcards, which are nearly
// all, are found by one look-up. The server's lock guards it.
type router struct {
	exact map[string][]*route
	wild  []*route
	turns map[queueKey]int // whose turn it is
}

type queueKey struct{ subject, queue string }

func newRouter() router {
	return router{exact: map[string][]*route{}, turns: map[queueKey]int{}}
}

func (r *router) add(rt *route) {
	rt.pattern = newPattern(rt.subject)
	if rt.pattern.literal() {
		r.exact[rt.subject] = append(r.exact[rt.subject], rt)
		return
	}
	r.wild = append(r.wild, rt)
}

func (r *router) remove(rt *route) {
	same := func(other *route) bool { return other == rt }
	if !rt.pattern.literal() {
		r.wild = slices.DeleteFunc(r.wild, same)
		return
	}
	left := slices.DeleteFunc(r.exact[rt.subject], same)
	if len(left) == 0 {
		delete(r.exact, rt.subject)
		return
	}
	r.exact[rt.subject] = left
}

// match is who gets a message: all that are in no queue, and of each queue the
// one whose turn it is. Who is cut off is not there.
func (r *router) match(subject string) []*route {
	var to []*route
	queues := map[queueKey][]*route{}
	var order []queueKey // so that a run can be repeated
	sort := func(rt *route) {
		if rt.conn.down.Load() {
			return
		}
		if rt.queue == "" {
			to = append(to, rt)
			return
		}
		key := queueKey{rt.subject, rt.queue}
		if queues[key] == nil {
			order = append(order, key)
		}
		queues[key] = append(queues[key], rt)
	}
	for _, rt := range r.exact[subject] {
		sort(rt)
	}
	for _, rt := range r.wild {
		if rt.pattern.matches(subject) {
			sort(rt)
		}
	}
	for _, key := range order {
		members := queues[key]
		to = append(to, members[r.turns[key]%len(members)])
		r.turns[key]++
	}
	return to
}
