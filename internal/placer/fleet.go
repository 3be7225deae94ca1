package placer

import (
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// expectedTTL is how long a node that a record names, and that was never heard,
// is waited for.
const expectedTTL = 10 * time.Second

// fleet is the table of nodes and its judge, made safe for concurrent use, and
// what this placer keeps beside them.
type fleet struct {
	mu    sync.Mutex
	table *peer.Table
	judge *peer.Judge
	since time.Time // the judge's connection has stood since
	notes map[string]*note
}

// note is what a placer keeps of a node beside the table.
type note struct {
	journal    string
	spoke      time.Time // when that journal was first heard
	lost       time.Time // when the node was judged lost, or said goodbye
	back       bool      // it is heard again, or another journal is; its records were not looked at yet
	reconciled time.Time // when what it runs was last compared with the records
}

func newFleet() *fleet {
	table := peer.NewTable(0)
	return &fleet{table: table, judge: peer.NewJudge(table), notes: map[string]*note{}}
}

// hear takes in a heartbeat. before is the journal that was heard last.
func (f *fleet) hear(c messages.Capabilities, now time.Time) (news peer.News, before string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.notes[c.Node]
	if n == nil {
		n = &note{}
	}
	before = n.journal
	if news, ok = f.table.Hear(c, now); !ok {
		return news, before, false
	}
	f.notes[c.Node] = n
	if node, _ := f.table.Get(c.Node); node.Journal() != n.journal {
		n.journal, n.spoke, n.back = node.Journal(), now, true
	}
	switch {
	case answering(news.To) && !answering(news.From):
		n.back, n.lost, n.reconciled = true, time.Time{}, time.Time{}
	case news.To == messages.NodeLeft && news.From != news.To:
		n.lost = now
	}
	return news, before, true
}

// answering tells whether a node in that state can be spoken to. One that is
// quarantined cannot: either of two workers might answer.
func answering(s messages.NodeState) bool {
	return s == messages.NodeAlive || s == messages.NodeDraining
}

// expect waits for nodes that were never heard, as for those that were.
func (f *fleet) expect(node string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.table.Get(node); !known {
		f.table.Expect(node, expectedTTL, now)
	}
}

// settle tells the judge since when the connection has stood; zero: it does not.
func (f *fleet) settle(since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !since.Equal(f.since) {
		f.since = since
		f.judge.Settled(since)
	}
}

// look is the nodes that are lost by now, and those that must be asked first.
func (f *fleet) look(now time.Time) (lost []peer.News, ask []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	lost, ask = f.judge.Look(now)
	for _, news := range lost {
		n := f.notes[news.Node]
		if n == nil {
			n = &note{}
			f.notes[news.Node] = n
		}
		n.lost, n.back = now, false
	}
	return lost, ask
}

// answered says that a node which was to be asked has, or has not, answered.
func (f *fleet) answered(node string, did bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if did {
		f.judge.Answered(node, now)
	} else {
		f.judge.Silent(node)
	}
}

// xkey is the node's public key, as it was last heard; "": it was not.
func (f *fleet) xkey(node string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, _ := f.table.Get(node)
	return n.Caps.XKey
}

// snapshot is the table as it is.
func (f *fleet) snapshot() peer.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.table.Snapshot()
}

// forget drops a node from the table.
func (f *fleet) forget(node string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.table.Forget(node)
	delete(f.notes, node)
}

// sight is what is known of a node.
type sight struct {
	state   messages.NodeState // "": it was never heard, and not judged
	known   bool               // the table has it, if only as expected
	journal string             // of its worker
	steady  bool               // that journal has been the only one for a time-to-live
	lost    time.Time          // when it was judged lost, or said goodbye
	ttl     time.Duration
	back    bool
}

// see is what is known of a node.
func (f *fleet) see(node string, now time.Time) sight {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, known := f.table.Get(node)
	if !known {
		return sight{}
	}
	s := sight{state: n.State, known: true, journal: n.Journal(), ttl: n.Caps.TTL.Std()}
	if kept := f.notes[node]; kept != nil {
		s.lost, s.back = kept.lost, kept.back
		s.steady = answering(n.State) && now.Sub(kept.spoke) >= s.ttl
	}
	return s
}

// welcomed says that the records of a node that is back were looked at.
func (f *fleet) welcomed(node string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.notes[node]; n != nil {
		n.back = false
	}
}

// answers tells whether a node can be spoken to.
func (f *fleet) answers(node string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, known := f.table.Get(node)
	return known && answering(n.State)
}

// journal is the identity of the journal that the node's worker keeps, or "".
func (f *fleet) journal(node string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.table.Get(node)
	if !ok {
		return ""
	}
	return n.Journal()
}

// unreconciled is the nodes whose containers were not compared with the records
// for as long as every.
func (f *fleet) unreconciled(now time.Time, every time.Duration) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var nodes []string
	for name, n := range f.notes {
		if n.lost.IsZero() && (n.reconciled.IsZero() || now.Sub(n.reconciled) >= every) {
			nodes = append(nodes, name)
		}
	}
	return nodes
}

// reconciled notes that a node's containers are being compared with the records.
func (f *fleet) reconciled(node string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.notes[node]; n != nil {
		n.reconciled = now
	}
}

// reserve holds room on the node for what is being handed out to it.
func (f *fleet) reserve(node string, job *messages.Job, attempt uint64, now time.Time) {
	if !job.Op.Places() {
		return
	}
	var want messages.Resources
	if job.Spec != nil {
		want = job.Spec.Resources
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.table.Reserve(node, want, peer.Claim{Job: job.ID, Attempt: attempt}, now)
}

// heardOf settles what was reserved for an attempt by what its node says of it.
func (f *fleet) heardOf(o *messages.Outcome) {
	claim := peer.Claim{Job: o.Job, Attempt: o.Attempt}
	f.mu.Lock()
	defer f.mu.Unlock()
	if o.Status.Ends() {
		f.table.Release(claim)
	} else {
		f.table.Accepted(claim)
	}
}

// release gives back what was reserved for an attempt that was never heard.
func (f *fleet) release(job string, attempt uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.table.Release(peer.Claim{Job: job, Attempt: attempt})
}
