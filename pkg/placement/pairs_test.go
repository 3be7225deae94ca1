package placement

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The table is testdata/pairs.txt; -update writes it anew, to be read line by
// line against docs/job-states.md before it is kept.
var update = flag.Bool("update", false, "write testdata/pairs.txt anew")

const pairsFile = "testdata/pairs.txt"

// standings are the states a job can be in, told apart where the page does. Node
// a has the job as attempt 2; what is owed is owed to node z for attempt 1.
var standings = map[string]func() *messages.Record{
	"none":                            func() *messages.Record { return nil },
	"pending":                         stand(messages.StatePending),
	"pending, nameless":               stand(messages.StatePending, service, nameless),
	"pending, to replace":             stand(messages.StatePending, service, nameless, replacing),
	"pending, beside job-0 on a":      stand(messages.StatePending, service, nameless, replacing, beside),
	"running, beside job-0 on z":      stand(messages.StateRunning, service, nameless, replacing, besideZ),
	"running, in place of job-0":      stand(messages.StateRunning, service, replacing, besideZ),
	"failed, in place of job-0":       stand(messages.StateFailed, service, replacing, besideZ),
	"pending, owing":                  stand(messages.StatePending, owing),
	"assigned":                        stand(messages.StateAssigned),
	"assigned, owing":                 stand(messages.StateAssigned, owing),
	"running, a task":                 stand(messages.StateRunning),
	"running, a task, owing":          stand(messages.StateRunning, owing),
	"running, a service":              stand(messages.StateRunning, service),
	"pending, its volumes on a":       stand(messages.StatePending, settled),
	"running, its volumes on a":       stand(messages.StateRunning, service, settled),
	"running, its volumes copied":     stand(messages.StateRunning, service, copied),
	"running, a successor":            stand(messages.StateRunning, service, heir(false)),
	"running, a successor that is on": stand(messages.StateRunning, service, heir(true)),
	"cancelling":                      stand(messages.StateCancelling),
	"completed":                       stand(messages.StateCompleted),
	"failed":                          stand(messages.StateFailed),
	"interrupted":                     stand(messages.StateInterrupted),
	"lost":                            stand(messages.StateLost),
	"lost, owing":                     stand(messages.StateLost, owing),
	"dead":                            stand(messages.StateDead),
	"cancelled":                       stand(messages.StateCancelled),
}

func stand(state messages.State, changes ...func(*messages.Record)) func() *messages.Record {
	return func() *messages.Record {
		r := recordIn(state)
		for _, change := range changes {
			change(r)
		}
		return r
	}
}

func nameless(r *messages.Record)  { r.Named = false }
func replacing(r *messages.Record) { r.Job.Args.Replace = true }
func beside(r *messages.Record)    { r.Replaces = &messages.Replaced{Job: "job-0", Node: "a"} }
func besideZ(r *messages.Record)   { r.Replaces = &messages.Replaced{Job: "job-0", Node: "z"} }

// holder is the record of job-0, which is on node a.
func holder() *messages.Record {
	r := recordIn(messages.StateRunning)
	r.Job.ID = "job-0"
	return r
}

// settled is of a job whose volumes are on node a alone, copied of one whose
// volumes are kept elsewhere too.
func settled(r *messages.Record) {
	mounted(r, messages.Mount{Type: messages.MountVolume, Source: "data", Target: "/data"})
	r.Home = messages.Home{Node: "a", Attempt: 1}
}

func copied(r *messages.Record) {
	mounted(r, messages.Mount{Type: messages.MountVolume, Source: "data", Target: "/data", Copy: "registry.example/data:live"})
}

func mounted(r *messages.Record, m messages.Mount) {
	spec := *r.Job.Spec
	spec.Mounts = []messages.Mount{m}
	r.Job.Spec = &spec
}

// owing is of a job that never runs twice at once, so that the debt matters.
func owing(r *messages.Record) {
	r.Job.Policy.OnPartition = messages.PartitionStop
	r.Fences = []messages.Fence{{Node: "z", Attempt: 1}}
}

func heir(accepted bool) func(*messages.Record) {
	return func(r *messages.Record) {
		r.Successor = &messages.Successor{Node: "b", Attempt: 3, Accepted: accepted}
		r.Highest = 3
	}
}

// word is an outcome of any node and attempt.
func word(node string, attempt uint64, status messages.Status, change ...func(*messages.Outcome)) Event {
	return Reported{outcome(status, append(change, of(node, attempt, 2))...)}
}

// happenings are all the kinds of event there are, each in every form that the
// page tells apart.
var happenings = map[string]Event{
	"submitted, the same job":      Submitted{Job: runJob(), Fingerprint: fingerprint},
	"submitted, another job":       Submitted{Job: runJob(), Fingerprint: another},
	"submitted, too old":           Submitted{Job: oldJob(), Fingerprint: fingerprint},
	"submitted, a revoke":          Submitted{Job: revokeJob(), Fingerprint: fingerprint},
	"submitted, its name is held":  Submitted{Job: runJob(), Fingerprint: fingerprint, Holder: "job-0"},
	"submitted, to replace job-0":  Submitted{Job: replaceJob(), Fingerprint: fingerprint, Holder: "job-0"},
	"claimed":                      Claimed{Holder: "job-1"},
	"claimed by job-0":             Claimed{Holder: "job-0", Next: "job-1", Other: holder()},
	"claimed by job-0, job-2 next": Claimed{Holder: "job-0", Next: "job-2", Other: holder()},
	"job-0 has ended":              Superseded{Job: "job-0"},
	"replaced by job-2":            Replaced{By: "job-2"},
	"replaced by job-2, next":      Replaced{By: "job-2", Next: true},
	"replaced, another life":       Replaced{By: "job-2", Life: 1},
	"tick":                         Tick{},
	"unheard, a 2":                 Unheard{"a", 2},
	"unheard, a 1":                 Unheard{"a", 1},
	"unheard, b 3":                 Unheard{"b", 3},
	"a is lost":                    lost,
	"a is lost, its lease over":    NodeLost{Node: "a", LeaseOver: true},
	"a is lost, of another memory": NodeLost{Node: "a", Journal: "another"},
	"b is lost":                    NodeLost{Node: "b"},
	"z is lost":                    NodeLost{Node: "z"},
	"z is lost, its lease over":    NodeLost{Node: "z", LeaseOver: true},
	"a is forgotten":               NodeForgotten{"a"},
	"z is forgotten":               NodeForgotten{"z"},
	"a drains":                     Vacate{"a"},
	"b drains":                     Vacate{"b"},
	"cancel":                       CancelAsked{Reason: "enough"},
	"retry":                        RetryAsked{Reason: "once more"},
	"retry, its name is held":      RetryAsked{Reason: "once more", Holder: "job-0"},

	"a 2 accepted":            word("a", 2, messages.StatusAccepted),
	"a 2 running":             word("a", 2, messages.StatusRunning),
	"a 2 running, not well":   word("a", 2, messages.StatusRunning, unwell),
	"a 2 completed":           word("a", 2, messages.StatusCompleted),
	"a 2 failed":              word("a", 2, messages.StatusFailed),
	"a 2 failed, may pass":    word("a", 2, messages.StatusFailed, passing),
	"a 2 refused":             word("a", 2, messages.StatusRouteToPeer),
	"a 2 interrupted":         word("a", 2, messages.StatusInterrupted),
	"a 2 revoked":             word("a", 2, messages.StatusRevoked),
	"a 2 rejected":            word("a", 2, messages.StatusRejected),
	"a 2 rejected, may pass":  word("a", 2, messages.StatusRejected, passing),
	"a 2 of another memory":   word("a", 2, messages.StatusRejected, wrongJournal),
	"a 2 failed, said before": Reported{outcome(messages.StatusFailed, of("a", 2, 1))},

	"b 3 accepted":           word("b", 3, messages.StatusAccepted),
	"b 3 running":            word("b", 3, messages.StatusRunning),
	"b 3 running, not well":  word("b", 3, messages.StatusRunning, unwell),
	"b 3 completed":          word("b", 3, messages.StatusCompleted),
	"b 3 failed":             word("b", 3, messages.StatusFailed),
	"b 3 refused":            word("b", 3, messages.StatusRouteToPeer),
	"b 3 rejected, may pass": word("b", 3, messages.StatusRejected, passing),
	"b 3 of another memory":  word("b", 3, messages.StatusRejected, wrongJournal),
	"b 3 revoked":            word("b", 3, messages.StatusRevoked),

	"z 1 accepted":         word("z", 1, messages.StatusAccepted),
	"z 1 completed":        word("z", 1, messages.StatusCompleted),
	"z 1 revoked":          word("z", 1, messages.StatusRevoked),
	"a 1 running":          word("a", 1, messages.StatusRunning),
	"z 9 running":          word("z", 9, messages.StatusRunning),
	"z 9 completed":        word("z", 9, messages.StatusCompleted),
	"z 9 revoked":          word("z", 9, messages.StatusRevoked),
	"a 1 directly":         word("a", 1, messages.StatusAccepted, directly),
	"a 1 refused directly": word("a", 1, messages.StatusRouteToPeer, directly),
}

func directly(o *messages.Outcome) {
	job := runJob()
	o.JobBody, o.Fingerprint = &job, fingerprint
}

func oldJob() messages.Job {
	j := runJob()
	j.Created = epoch.Add(-MaxAge)
	return j
}

func revokeJob() messages.Job {
	return messages.Job{V: 1, ID: "job-1", Op: messages.OpRevoke, Args: messages.Args{Attempt: 1}}
}

func replaceJob() messages.Job {
	j := runJob()
	j.Service, j.Args.Replace = "web", true
	return j
}

// TestNextEveryPair is every event in every state, against the table.
func TestNextEveryPair(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	got := map[string]string{}
	for standing, record := range standings {
		for happening, ev := range happenings {
			before := record()
			after, effects := next(t, before, ev, peers, epoch.Add(time.Minute))
			got[standing+" | "+happening] = told(before, after, effects)
		}
	}
	if *update {
		if err := os.WriteFile(pairsFile, []byte(written(got)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := readPairs(t)
	for _, pair := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[pair]; !ok {
			t.Errorf("the table does not say what follows %s", pair)
		} else if got[pair] != want[pair] {
			t.Errorf("%s: it follows %q, want %q", pair, got[pair], want[pair])
		}
	}
	for pair := range want {
		if _, ok := got[pair]; !ok {
			t.Errorf("the table has a pair that is none: %s", pair)
		}
	}
}

// told is a step as the table writes it: the state, with the node and attempt
// that the job has, what is owed, the effects, and what went to the history alone.
func told(before, after *messages.Record, effects []Effect) string {
	var parts []string
	switch after {
	case nil:
		parts = append(parts, "none")
	case before:
		parts = append(parts, "same")
	default:
		state := string(after.State)
		if held(after) {
			state += fmt.Sprintf(" %s %d", after.Node, after.Attempt)
		}
		if s := after.Successor; s != nil {
			state += fmt.Sprintf(", then %s %d", s.Node, s.Attempt)
		}
		parts = append(parts, state)
		if n := len(after.History); n > 0 && strings.HasPrefix(after.History[n-1].Event, latePrefix) {
			parts = append(parts, "late")
		}
	}
	if e := show(effects); e != "" {
		parts = append(parts, e)
	}
	return strings.Join(parts, "; ")
}

// written is the table as a file: a block for each state.
func written(pairs map[string]string) string {
	var b strings.Builder
	b.WriteString("# Every event in every state: `event: what follows`. See pairs_test.go.\n")
	order := func(x, y string) int {
		rank := func(s string) int { return slices.Index(conditionOrder, strings.Split(s, ",")[0]) }
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x, y))
	}
	for _, standing := range slices.SortedFunc(maps.Keys(standings), order) {
		fmt.Fprintf(&b, "\n[%s]\n", standing)
		for _, happening := range slices.Sorted(maps.Keys(happenings)) {
			fmt.Fprintf(&b, "%-28s : %s\n", happening, pairs[standing+" | "+happening])
		}
	}
	return b.String()
}

var conditionOrder = func() []string {
	order := []string{"none"}
	for _, s := range messages.States() {
		order = append(order, string(s))
	}
	return order
}()

func readPairs(t *testing.T) map[string]string {
	data, err := os.ReadFile(pairsFile)
	if err != nil {
		t.Fatal(err)
	}
	pairs, standing := map[string]string{}, ""
	for i, line := range strings.Split(string(data), "\n") {
		happening, result, ok := strings.Cut(line, " : ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			standing = strings.Trim(line, "[]")
		case !ok:
			t.Fatalf("%s:%d: want `event : what follows`, have %q", pairsFile, i+1, line)
		default:
			pairs[standing+" | "+strings.TrimSpace(happening)] = strings.TrimSpace(result)
		}
	}
	return pairs
}
