package placement

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// How many nodes are compared for a job. Up to fewNodes all of them are; out of
// more, each job draws its own draws, by its hash: the best of eight is as good as
// the best of all but for a little, and costs the same in any fleet. What decides
// whether a node would do is never left to the draw: it goes on until nodes are
// found or it is certain that there are none.
const (
	draws    = 8
	fewNodes = 16
)

// Choose is the best node for the job now; ok is false when none would take
// it. platforms is what is known of the image beyond the job's own words.
//
// It is the same in every placer that has the same table, and Explain shows the
// same choice with its reasons.
func Choose(job *messages.Job, platforms []messages.Platform, peers peer.Snapshot, now time.Time) (node string, ok bool) {
	var named [1]messages.Platform
	q := ask(job, platforms, &named, now)
	if n := choose(&q, peers, nil); n != nil {
		return n.Name(), true
	}
	return "", false
}

// chooseFor is Choose for a job with what its record knows of it.
func chooseFor(r *messages.Record, peers peer.Snapshot, now time.Time) (node string, ok bool) {
	var named [1]messages.Platform
	q := askFor(r, &named, now)
	if n := choose(&q, peers, nil); n != nil {
		return n.Name(), true
	}
	return "", false
}

// contest finds the best of the nodes that were drawn.
type contest struct {
	best  *peer.Node
	score float64
	drawn map[string]bool // nil: nobody wants to know
}

// enter compares a node with the best so far; of equals the first by name wins.
func (c *contest) enter(q *question, n *peer.Node) {
	if c.drawn != nil {
		c.drawn[n.Name()] = true
	}
	s := score(q, n)
	if c.best == nil || s > c.score || s == c.score && n.Name() < c.best.Name() {
		c.best, c.score = n, s
	}
}

// choose is the best node, or nil; the names of those that were compared go into
// drawn, if that is not nil.
func choose(q *question, peers peer.Snapshot, drawn map[string]bool) *peer.Node {
	c := contest{drawn: drawn}
	if only := q.only(); only != "" {
		if n := peers.Get(only); n != nil && objection(q, n) == "" {
			c.enter(q, n)
		}
		return c.best
	}
	pool := peers.Pool(q.platforms)
	for key, value := range q.job.Requires.Labels {
		pool.Narrow(key, value)
	}
	if len(q.job.Requires.Prefer) > 0 {
		if c.preferring(q, &pool); c.best != nil {
			return c.best
		}
	}
	c.draw(q, &pool, 0)
	return c.best
}

// preferring compares nodes that have preferred labels: some of those that have
// all of them, or, if there are none, every one that has any.
func (c *contest) preferring(q *question, pool *peer.Pool) {
	prefer := q.job.Requires.Prefer
	all := *pool
	for key, value := range prefer {
		all.Narrow(key, value)
	}
	if c.draw(q, &all, len(prefer)); c.best != nil || len(prefer) == 1 {
		return
	}
	for key, value := range prefer {
		some := *pool
		some.Narrow(key, value)
		for n := range some.All() {
			if preferred(q.job, n) > 0 && objection(q, n) == "" {
				c.enter(q, n)
			}
		}
	}
}

// draw compares nodes of the pool that would do and have at least that many of
// the preferred labels: all of a small pool, and some of a large one.
func (c *contest) draw(q *question, pool *peer.Pool, atLeast int) {
	if pool.Len() <= fewNodes {
		for n := range pool.All() {
			if preferred(q.job, n) >= atLeast && objection(q, n) == "" {
				c.enter(q, n)
			}
		}
		return
	}
	would := func(n *peer.Node) bool { return preferred(q.job, n) >= atLeast && objection(q, n) == "" }
	for i := range uint64(draws) {
		n := pool.Draw(mix(mix(q.sum)+i), q.want, would)
		if n == nil {
			return
		}
		c.enter(q, n)
	}
}

// askFor is ask for a job with what its record knows of it.
func askFor(r *messages.Record, named *[1]messages.Platform, now time.Time) question {
	q := ask(&r.Job, r.Platforms, named, now)
	q.home = r.Home.Node
	if besides(r) {
		q.replaces = r.Replaces
	}
	return q
}

// ask puts together what a job needs: a platform it names decides, and what its
// image was found to be made for says the rest. named is where the one it names
// is put.
func ask(job *messages.Job, platforms []messages.Platform, named *[1]messages.Platform, now time.Time) question {
	q := question{job: job, platforms: platforms, sum: peer.Sum(peer.Sum(peer.NoSum, job.ID), "/"), now: now}
	if job.Spec != nil && job.Op.Places() {
		q.want = job.Spec.Resources
	}
	if p := job.Platform(); p != (messages.Platform{}) {
		named[0] = p
		q.platforms = named[:]
		if len(platforms) > 0 {
			if both := narrow(named[:], platforms); len(both) > 0 {
				q.platforms = both
			}
		}
	}
	return q
}
