package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// job is everything that happened about one job, each list in its order.
type job struct {
	id    string
	body  *messages.Job // as it was first sent; nil: nobody submitted it
	nodes []string      // to which it was given directly

	submitted, acknowledged    []Event
	cancels, retries, stopAsks []Event
	runs                       []*run
	execs                      []Event
	outcomes                   []Event
	words                      []Event
	live                       *messages.Record // at the end
}

// run is one start of a container's program.
type run struct {
	start Event
	end   *Event // nil: it runs at the end
	until time.Time
}

func (r *run) attempt() uint64 { return r.start.Attempt }
func (r *run) node() string    { return r.start.Node }

// events are those of the run, for a violation.
func (r *run) events() []Event {
	if r.end == nil {
		return []Event{r.start}
	}
	return []Event{r.start, *r.end}
}

// model is a history, put in order.
type model struct {
	cfg  Config
	jobs []*job // by their first event
	byID map[string]*job
	away absences
	end  time.Time

	placersAway int // how often one went

	problems []Violation // of the history itself
}

// newModel reads a history. It does not change it.
func newModel(history []Event, cfg Config) *model {
	sorted := slices.Clone(history)
	slices.SortStableFunc(sorted, func(a, b Event) int { return a.At.Compare(b.At) })
	m := &model{cfg: cfg, byID: map[string]*job{}, away: absencesOf(sorted, cfg.Placers)}
	running := map[[2]string]*run{} // by node and container
	for _, e := range sorted {
		if !m.end.IsZero() {
			m.problem(e, "it is after the end of the run")
			continue
		}
		m.take(e, running)
	}
	if m.end.IsZero() {
		m.problems = append(m.problems, Violation{What: `the history has no event of kind "end"; the run was cut short`})
	}
	for _, r := range running {
		r.until = m.end
	}
	return m
}

func (m *model) problem(e Event, format string, args ...any) {
	m.problems = append(m.problems, Violation{Job: e.job(), What: fmt.Sprintf(format, args...), Events: []Event{e}})
}

// job is the job of an id.
func (m *model) job(id string) *job {
	j := m.byID[id]
	if j == nil {
		j = &job{id: id}
		m.byID[id] = j
		m.jobs = append(m.jobs, j)
	}
	return j
}

// take puts one event where it belongs.
func (m *model) take(e Event, running map[[2]string]*run) {
	if err := e.check(); err != nil {
		m.problem(e, "%v", err)
		return
	}
	add := func(list *[]Event) { *list = append(*list, e) }
	switch e.Kind {
	case Submitted:
		j := m.job(e.Job)
		add(&j.submitted)
		if j.body == nil {
			j.body = e.Body
		}
		if e.Node != "" && !slices.Contains(j.nodes, e.Node) {
			j.nodes = append(j.nodes, e.Node)
		}
	case Acknowledged:
		add(&m.job(e.Job).acknowledged)
	case CancelAsked:
		add(&m.job(e.Job).cancels)
	case RetryAsked:
		add(&m.job(e.Job).retries)
	case StopAsked:
		add(&m.job(e.Job).stopAsks)
	case Exec:
		add(&m.job(e.Job).execs)
	case OutcomeSaid:
		add(&m.job(e.Outcome.Job).outcomes)
	case LastWord:
		add(&m.job(e.Record.Job.ID).words)
	case PlacerAway:
		m.placersAway++
	case Started, Ended:
		m.takeRun(e, running)
	case End:
		m.end = e.At
		for i := range e.Live {
			m.job(e.Live[i].Job.ID).live = &e.Live[i]
		}
	}
}

// takeRun matches the starts and the ends of containers.
func (m *model) takeRun(e Event, running map[[2]string]*run) {
	key := [2]string{e.Node, e.Container}
	r := running[key]
	switch {
	case e.Kind == Started && r != nil:
		m.problem(e, "container %s on %s is started while it runs", e.Container, e.Node)
	case e.Kind == Started:
		r = &run{start: e}
		running[key] = r
		j := m.job(e.Job)
		j.runs = append(j.runs, r)
	case r == nil:
		m.problem(e, "container %s on %s ends and was never started", e.Container, e.Node)
	default:
		r.end, r.until = &e, e.At
		delete(running, key)
	}
}

// kind is what the job is; a task when nobody has said.
func (j *job) kind() messages.Kind {
	if j.body == nil {
		return messages.KindTask
	}
	return j.body.EffectiveKind()
}

// policy is the job's policy.
func (j *job) policy() messages.Policy {
	if j.body == nil {
		return messages.Policy{}
	}
	return j.body.Policy
}

// isRun tells whether the job makes a container and sees it to its end. One
// whose body is not known is taken for such a job.
func (j *job) isRun() bool { return j.body == nil || j.body.Op == messages.OpRun }

// isTask tells whether it is such a job, and done when its container exits.
func (j *job) isTask() bool { return j.isRun() && j.kind() == messages.KindTask }
