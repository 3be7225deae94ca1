package placement

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// walker is a node of a walk's fleet.
type walker struct {
	caps   messages.Capabilities
	silent bool
	wiped  int // how often its journal was lost
}

func newWalk(t *testing.T, seed uint64) *walk {
	w := &walk{
		T: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 7)), now: epoch, table: peer.NewTable(0),
		seqs: map[given]uint64{}, text: "none",
	}
	for i := range 4 {
		w.nodes = append(w.nodes, &walker{caps: node(fmt.Sprintf("n%d", i), []string{"linux/amd64", "linux/amd64", "windows/amd64", "linux/arm64"}[i])})
	}
	w.beat()
	w.newJob()
	return w
}

// oneIn is true once in n times.
func (w *walk) oneIn(n int) bool { return w.rng.IntN(n) == 0 }

func oneOf[T any](w *walk, from ...T) T { return from[w.rng.IntN(len(from))] }

// newJob is the next one under the same id.
func (w *walk) newJob() {
	j := runJob()
	j.Policy = messages.Policy{
		MaxAttempts: w.rng.IntN(4), RetryExit: w.oneIn(2), Idempotent: w.oneIn(3),
		OnNodeLoss:  oneOf(w, "", "", messages.LossReschedule, messages.LossWait, messages.LossFail),
		OnPartition: oneOf(w, "", "", messages.PartitionKeep, messages.PartitionStop),
		Backoff:     messages.Backoff{Max: messages.Duration(10 * time.Second)},
	}
	if w.oneIn(5) {
		j.Policy.Reroute = messages.RerouteNever
	}
	if w.oneIn(4) {
		j.Policy.Deadline = messages.Duration(time.Duration(5+w.rng.IntN(60)) * time.Second)
	}
	if w.oneIn(2) {
		j.Kind = messages.KindService
	} else if w.oneIn(4) {
		j.Service = "shared"
	}
	switch w.rng.IntN(4) {
	case 0:
		j.Spec.Mounts = []messages.Mount{{Type: messages.MountVolume, Source: "data", Target: "/data"}}
	case 1:
		j.Spec.Mounts = []messages.Mount{{Type: messages.MountVolume, Source: "data", Target: "/data", Copy: "registry.example/data:live"}}
	}
	if j.Args.Replace = w.oneIn(3); w.oneIn(4) {
		j.Target = oneOf(w, w.nodes...).caps.Node
	}
	if w.oneIn(12) {
		j = messages.Job{V: 1, ID: j.ID, Op: messages.OpPull, Target: "n0", Args: messages.Args{Image: "web:1"}, Policy: j.Policy}
	}
	w.job = j
}

// weather lets time pass and nodes come, go, drain and forget.
func (w *walk) weather() {
	d := time.Duration(w.rng.IntN(2000)) * time.Millisecond
	switch {
	case w.oneIn(30):
		d = 12 * time.Minute
	case w.oneIn(12):
		d += 15 * time.Second
	}
	w.now = w.now.Add(d)
	for _, n := range w.nodes {
		n.silent = flip(w, n.silent)
		n.caps.Draining = flip(w, n.caps.Draining)
		if w.oneIn(100) {
			n.wiped++
			n.caps.Incarnation = fmt.Sprintf("j%s-%d.1", n.caps.Node, n.wiped)
		}
	}
	w.beat()
}

// flip changes what is seldom so, and soon over.
func flip(w *walk, is bool) bool {
	if is {
		return !w.oneIn(5)
	}
	return w.oneIn(30)
}

func (w *walk) beat() {
	for _, n := range w.nodes {
		if !n.silent {
			n.caps.Seq++
			w.table.Hear(n.caps, w.now)
		}
	}
	w.table.Expire(w.now)
}

func (w *walk) anyNode() string { return oneOf(w, w.nodes...).caps.Node }

// event is one that could come.
func (w *walk) event() Event {
	if w.rec == nil {
		return w.first()
	}
	r := w.rec
	if w.oneIn(3) {
		return w.progress()
	}
	if r.State.Ended() {
		return w.any()
	}
	switch w.rng.IntN(24) {
	case 0, 1, 2:
		return Tick{}
	case 3:
		return w.unheard()
	case 4, 5:
		if w.oneIn(4) {
			return w.claimedByAnother()
		}
		return Claimed{Holder: r.Job.ID}
	case 6, 7:
		return w.nodeLost()
	case 8:
		if w.oneIn(3) {
			return NodeForgotten{w.concerned()}
		}
		return Vacate{w.concerned()}
	case 9:
		return Vacate{w.concerned()}
	case 10:
		if w.oneIn(2) {
			return oneOf[Event](w, w.cancelAsked(), Replaced{By: "job-2", Life: r.Retries - w.rng.IntN(2), Next: w.oneIn(2)})
		}
		return Tick{}
	case 11:
		if w.oneIn(3) {
			return RetryAsked{Reason: "once more", Holder: oneOf(w, "", "", "job-2")}
		}
		return Tick{}
	case 12:
		return Submitted{Job: w.job, Fingerprint: oneOf(w, fingerprint, another)}
	}
	return Reported{w.outcome()}
}

// cancelAsked comes from intake, mostly, and maybe again.
func (w *walk) cancelAsked() Event {
	return CancelAsked{Reason: "enough", Order: uint64(w.rng.IntN(6))}
}

// claimedByAnother says that another job holds the name.
func (w *walk) claimedByAnother() Event {
	held := messages.Record{Node: oneOf(w, "", w.anyNode()), Job: runJob()}
	if !w.oneIn(4) {
		held.Job.Spec.Mounts = []messages.Mount{{Type: messages.MountVolume, Source: "data", Target: "/d"}}
		held.Home.Node = held.Node
	}
	held.Job.ID = "job-2"
	held.Retries = w.rng.IntN(2)
	if held.Order = 1; w.oneIn(8) {
		held.Order = 1 << 30
	}
	return Claimed{Holder: "job-2", Other: &held, Next: oneOf(w, "job-1", "job-1", "job-1", "job-3")}
}

// any is every kind of event as likely as the others.
func (w *walk) any() Event {
	kinds := eventKinds()
	switch i := w.rng.IntN(len(kinds)); i {
	case 0:
		return Submitted{Job: w.job, Fingerprint: fingerprint}
	case 1:
		return Submitted{Job: w.job, Fingerprint: another}
	case 2:
		return Claimed{Holder: w.rec.Job.ID}
	case 3:
		return w.claimedByAnother()
	case 4:
		return Tick{}
	case 5:
		return w.unheard()
	case 6:
		return w.nodeLost()
	case 7:
		return NodeForgotten{w.concerned()}
	case 8:
		return Vacate{w.concerned()}
	case 9:
		return w.cancelAsked()
	case 10:
		return RetryAsked{Reason: "once more", Holder: oneOf(w, "", "", "job-2")}
	case 11:
		return Superseded{oneOf(w, "job-2", "job-2", "job-3"), w.rng.IntN(3)}
	case 12:
		return Replaced{By: "job-2", Life: w.rec.Retries - w.rng.IntN(2), Next: w.oneIn(2)}
	default:
		o := w.outcome()
		return Reported{w.said(given{o.Node, o.Attempt}, o.Seq, messages.Status(kinds[i]))}
	}
}

// progress is what comes next when all goes well, and now and then a drain.
func (w *walk) progress() Event {
	r := w.rec
	of := func(node string, attempt uint64, status messages.Status) Event {
		g := given{node, attempt}
		w.seqs[g]++
		return Reported{w.said(g, w.seqs[g], status)}
	}
	switch {
	case NeedsName(&r.Job) && !r.Named && r.State == messages.StatePending && r.Job.Args.Replace && w.oneIn(2):
		return w.claimedByAnother()
	case NeedsName(&r.Job) && !r.Named && !r.State.Ended() && w.oneIn(2):
		return oneOf[Event](w, Claimed{Holder: r.Job.ID}, Claimed{Holder: r.Job.ID}, w.claimedByAnother())
	case r.Named && r.Replaces != nil && w.oneIn(3):
		return Superseded{"job-2", w.rng.IntN(3)}
	case r.State == messages.StateAssigned && w.oneIn(4):
		return Unheard{r.Node, r.Attempt}
	case r.State == messages.StateAssigned:
		return of(r.Node, r.Attempt, messages.StatusAccepted)
	case r.State == messages.StateRunning && r.Successor != nil && w.oneIn(8):
		return oneOf[Event](w, w.claimedByAnother(), Event(Superseded{"job-2", 1}), Replaced{By: "job-2", Life: r.Retries, Next: w.oneIn(2)})
	case r.State == messages.StateRunning && r.Successor != nil && w.oneIn(6):
		return Unheard{r.Successor.Node, r.Successor.Attempt}
	case r.State == messages.StateRunning && r.Successor != nil && w.oneIn(6):
		e := Reported{w.said(given{r.Successor.Node, r.Successor.Attempt}, 1, messages.StatusRejected)}
		wrongJournal(&e.Outcome)
		return e
	case r.State == messages.StateRunning && r.Successor != nil && w.oneIn(2):
		return of(r.Successor.Node, r.Successor.Attempt, oneOf(w, messages.StatusAccepted, messages.StatusRunning, oneOf(w, messages.Statuses()...)))
	case r.State == messages.StateRunning && r.Successor != nil:
		return of(r.Node, r.Attempt, oneOf(w, messages.Statuses()...))
	case r.State == messages.StateRunning && r.Healthy && w.now.Sub(r.HealthySince) > healthyEnough:
		return of(r.Node, r.Attempt, oneOf(w, messages.StatusInterrupted, messages.StatusFailed))
	case r.State == messages.StateRunning && r.Job.Kind == messages.KindService && w.oneIn(2):
		return Vacate{r.Node}
	case r.State == messages.StateRunning:
		return of(r.Node, r.Attempt, oneOf(w, messages.StatusRunning, messages.StatusRunning, oneOf(w, messages.Statuses()...)))
	case r.State == messages.StateCancelling:
		return oneOf[Event](w, w.any(), w.cancelAsked(), of(r.Node, r.Attempt, oneOf(w, messages.Statuses()...)))
	case r.State.Ended() && w.oneIn(4):
		return RetryAsked{Reason: "once more", Holder: oneOf(w, "", "", "job-2")}
	case r.State.Ended():
		return w.any()
	}
	return Tick{}
}

// first is an event without a record: mostly the job.
func (w *walk) first() Event {
	w.newJob()
	job, s := w.job, Submitted{Fingerprint: fingerprint, Order: 10}
	switch w.rng.IntN(10) {
	case 0, 7:
		return oneOf[Event](w, Tick{}, Claimed{Holder: "job-1"}, w.claimedByAnother(), Unheard{"n0", 1}, NodeLost{Node: "n0"}, NodeForgotten{"n0"}, Vacate{"n0"}, w.cancelAsked(), RetryAsked{}, Superseded{"job-2", 0}, Replaced{By: "job-2"})
	case 1, 2:
		o := w.said(given{w.anyNode(), 1}, 1, oneOf(w, messages.StatusAccepted, oneOf(w, messages.Statuses()...)))
		if !w.oneIn(4) {
			o.JobBody, o.Fingerprint = &job, fingerprint
		}
		return Reported{o}
	case 3:
		job.Created = w.now.Add(-24*time.Hour - time.Second)
	case 4:
		job = messages.Job{V: 1, ID: job.ID, Op: messages.OpRevoke, Args: messages.Args{Attempt: 1}}
	case 5:
		s.Holder = "job-2"
	case 6:
		job.Created, s.Fingerprint = w.now.Add(-time.Minute), another
	}
	s.Job = job
	return s
}

// concerned is a node that the job has to do with, mostly.
func (w *walk) concerned() string {
	nodes := []string{w.anyNode()}
	if w.rec.Node != "" {
		nodes = append(nodes, w.rec.Node, w.rec.Node)
	}
	if w.rec.Successor != nil {
		nodes = append(nodes, w.rec.Successor.Node)
	}
	for _, f := range w.rec.Fences {
		nodes = append(nodes, f.Node)
	}
	return oneOf(w, nodes...)
}

func (w *walk) unheard() Event {
	all := append(w.attempts(), given{w.rec.Node, w.rec.Attempt}, given{w.rec.Node, w.rec.Attempt})
	if s := w.rec.Successor; s != nil {
		all = append(all, given{s.Node, s.Attempt}, given{s.Node, s.Attempt})
	}
	g := oneOf(w, all...)
	return Unheard{g.node, g.attempt}
}

func (w *walk) nodeLost() Event {
	e := NodeLost{Node: w.concerned(), Reason: "silent for 10s", LeaseOver: w.oneIn(2)}
	if w.oneIn(5) {
		e.LeaseOver, e.Journal = false, w.rec.Journal
		if e.Journal == "" || w.oneIn(3) {
			e.Journal = "another"
		}
	}
	return e
}

// eventKinds are the events that the coverage tells apart.
func eventKinds() []string {
	kinds := []string{
		"submitted", "another submitted", "claimed", "claimed by another", "tick", "unheard",
		"node lost", "forgotten", "vacate", "cancel", "retry", "superseded", "replaced",
	}
	for _, s := range messages.Statuses() {
		kinds = append(kinds, string(s))
	}
	return kinds
}

func kindOf(r *messages.Record, ev Event) string {
	i := 0
	switch e := ev.(type) {
	case Submitted:
		i = slices.Index([]string{fingerprint, another}, e.Fingerprint)
	case Claimed:
		if i = 2; e.Holder != "job-1" {
			i = 3
		}
	case Tick:
		i = 4
	case Unheard:
		i = 5
	case NodeLost:
		i = 6
	case NodeForgotten:
		i = 7
	case Vacate:
		i = 8
	case CancelAsked:
		i = 9
	case RetryAsked:
		i = 10
	case Superseded:
		i = 11
	case Replaced:
		i = 12
	case Reported:
		return string(e.Outcome.Status)
	}
	return eventKinds()[i]
}
