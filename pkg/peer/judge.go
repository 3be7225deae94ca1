package peer

import "time"

// mostLostPercent is how much of a fleet may be called lost within one
// time-to-live without asking: more than that is rather the listener's own fault.
const mostLostPercent = 30

// Judge decides which silent nodes of a table are lost. Jobs move on its word,
// so it is slower to speak than Table.Expire:
//
//   - It calls nobody lost before it has listened for the node's full
//     time-to-live on a connection that has stood since (Settled). A listener
//     that was cut off has heard nothing, and that says nothing of the nodes.
//   - Before more than 30 % of the fleet would be lost within one time-to-live,
//     it wants the silent ones asked by request. The fleet is the nodes that are
//     not lost or gone, and those that were called lost within their
//     time-to-live. One that answers counts as heard; one that does not is lost,
//     however many they are.
//
// It does not ask by itself: Look says whom, the caller asks, and tells what came
// of it by Answered or Silent.
type Judge struct {
	table *Table
	since time.Time // the connection has stood since; zero: there is none
	asked map[string]inquiry
}

// inquiry is the question to a node that was last heard at heard.
type inquiry struct {
	at, heard time.Time
	silent    bool // it was not answered
}

// NewJudge makes the judge of a table. It judges nobody until it is told that
// its connection is settled.
func NewJudge(t *Table) *Judge { return &Judge{table: t, asked: map[string]inquiry{}} }

// Settled says that the connection, and what listens on it, stands since then.
// What was asked on an earlier one is void.
func (j *Judge) Settled(since time.Time) {
	j.since = since
	clear(j.asked)
}

// Unsettled says that the connection is broken.
func (j *Judge) Unsettled() { j.Settled(time.Time{}) }

// Look marks the nodes that are lost by now, and names those that are to be
// asked, each in the order of names. A node is named once, and again when a
// time-to-live later there is still no word of what came of it.
func (j *Judge) Look(now time.Time) (lost []News, ask []string) {
	suspects, recent, fleet := j.suspects(now)
	tooMany := (recent+len(suspects))*100 > fleet*mostLostPercent
	for _, n := range suspects {
		q, asked := j.asked[n.Name()]
		asked = asked && q.heard.Equal(n.Heard)
		switch {
		case asked && !q.silent && now.Sub(q.at) < n.Caps.TTL.Std(): // its answer is under way
		case asked && q.silent, !tooMany:
			delete(j.asked, n.Name())
			lost = append(lost, j.table.lose(n, now))
		default:
			j.asked[n.Name()] = inquiry{at: now, heard: n.Heard}
			ask = append(ask, n.Name())
		}
	}
	return lost, ask
}

// suspects are the nodes that have been silent for their time-to-live while the
// connection stood; recent is how many were called lost a short while ago, and
// fleet how many there are in all. Questions that have become idle are dropped.
func (j *Judge) suspects(now time.Time) (suspects []*Node, recent, fleet int) {
	for name, q := range j.asked {
		if n := j.table.get(name); n == nil || n.gone() || !q.heard.Equal(n.Heard) {
			delete(j.asked, name)
		}
	}
	for _, slot := range j.table.index.names.items {
		n := j.table.index.nodes.node(slot)
		ttl := n.Caps.TTL.Std()
		switch {
		case !n.gone():
			fleet++
			if !j.since.IsZero() && now.Sub(n.Heard) >= ttl && now.Sub(j.since) >= ttl {
				suspects = append(suspects, n)
			}
		case !n.lost.IsZero() && now.Sub(n.lost) < ttl:
			recent++
			fleet++
		}
	}
	return suspects, recent, fleet
}

// Answered says that a node has answered a request: it counts as heard, and as
// what it was. A lost one stays lost until its heartbeat comes.
func (j *Judge) Answered(node string, now time.Time) {
	delete(j.asked, node)
	old := j.table.get(node)
	if old == nil || old.gone() {
		return
	}
	n := *old
	n.Heard = now
	j.table.put(old, &n)
}

// Silent says that a node which Look wanted asked has not answered, in time and
// on a connection that stood: the next Look calls it lost, unless it is heard
// before. When it was the connection that broke, say nothing.
func (j *Judge) Silent(node string) {
	if q, ok := j.asked[node]; ok {
		q.silent = true
		j.asked[node] = q
	}
}
