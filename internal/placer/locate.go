package placer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// What works on a container goes to the node that holds it, and of two such jobs
// the one that came first goes first. The order is that of intake, which every
// placer sees alike; so a job waits until all that came before it have a record,
// and then until those about its container have ended.

const (
	mostSearches = 4  // through the whole fleet, at once
	mostStates   = 32 // questions of a search, at once
)

// locate finds out where a job's container is and brings that to the job's lane.
// Without an answer nothing is known, and the sweep looks again.
func (p *Placer) locate(ctx context.Context, rec *messages.Record) {
	search := flight{job: rec.Job.ID}
	if !p.flights.begin(search) {
		return
	}
	defer p.flights.end(search)
	ev, err := p.whereIs(ctx, rec)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("a container could not be looked for; it is looked for again", "job", rec.Job.ID, "container", rec.Job.ContainerName(), "error", err)
		}
		return
	}
	p.bring(rec.Job.ID, ev)
}

func (p *Placer) whereIs(ctx context.Context, rec *messages.Record) (placement.Located, error) {
	if taken, err := p.tookBefore(ctx, rec.Order); err != nil || !taken {
		return placement.Located{Wait: "waits until the jobs that came before it are taken in"}, err
	}
	if before := p.records.before(rec); before != "" {
		return placement.Located{Wait: fmt.Sprintf("waits for job %s, which is about the same container and came before", before)}, nil
	}
	if target := rec.Job.Target; target != "" {
		return placement.Located{Nodes: []string{target}}, nil
	}
	maker, err := p.maker(ctx, rec.Job.ContainerName())
	switch {
	case err != nil:
		return placement.Located{}, err
	case maker == nil:
		return p.search(ctx, rec.Job.ContainerName())
	case maker.State == messages.StateRunning || maker.State == messages.StateCancelling:
		return placement.Located{Nodes: []string{maker.Node}}, nil
	}
	return placement.Located{Wait: fmt.Sprintf("waits for job %s, which makes the container and is %s", maker.Job.ID, maker.State)}, nil
}

// tookBefore tells whether every job that came into intake before the one with
// that order has a record by now; it waits a moment for that.
func (p *Placer) tookBefore(ctx context.Context, order uint64) (bool, error) {
	late := time.After(p.cfg.RequestTimeout)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		first, err := p.firstInIntake(ctx)
		if err != nil || first == 0 || first >= order {
			return err == nil, err
		}
		select {
		case <-again.C:
		case <-late:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// inTurn tells whether a job that was found to be the first at its container still
// is, now that this placer has heard of every record that was written before its
// own was: another placer may have written that of an earlier one just before. If
// it is not, the sweep sends it later.
func (p *Placer) inTurn(ctx context.Context, d *deed) bool {
	if !placement.NeedsHolder(&d.rec.Job) {
		return true
	}
	late := time.After(p.cfg.RequestTimeout)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !p.records.heardOf(d.revision) {
		select {
		case <-again.C:
		case <-late:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return p.records.before(d.rec) == ""
}

// firstInIntake is the sequence of the oldest job that is not taken in; 0: none.
func (p *Placer) firstInIntake(ctx context.Context) (uint64, error) {
	for stored, err := range p.cfg.Bus.All(ctx, p.cfg.Root.Stream(messages.StreamIntake), p.cfg.Root.Job(messages.Any)) {
		return stored.Sequence, err
	}
	return 0, nil
}

// maker is the live record of the job that has made a container, or is about to;
// nil when none is known, be it that the name is a second one, or that its job was
// done when it had made it.
func (p *Placer) maker(ctx context.Context, container string) (*messages.Record, error) {
	id, ok := runtime.ParseContainerID(container)
	if !ok {
		return nil, nil
	}
	of := messages.Job{ID: id.Service, Service: id.Service, Replica: id.Replica}
	s, err := p.nameStands(ctx, nameKey(&of), "")
	if err != nil {
		return nil, err
	}
	job, rec := s.holds()
	if job == "" { // a task that is named after itself claims no name
		rec, err = p.liveRecord(ctx, id.Service, "")
	}
	if err != nil || rec == nil || !rec.Job.Op.Places() || rec.Job.ContainerName() != container {
		return nil, err
	}
	return rec, nil
}

// search asks every node that can be heard whether it holds a container.
func (p *Placer) search(ctx context.Context, container string) (placement.Located, error) {
	if !p.searches.enter() {
		return placement.Located{Wait: "waits until other containers have been looked for"}, nil
	}
	defer p.searches.leave()
	ctx, cancel := context.WithTimeout(ctx, 2*p.cfg.RequestTimeout)
	defer cancel()
	var mu sync.Mutex
	var found placement.Located
	var questions errgroup.Group
	questions.SetLimit(mostStates)
	for n := range p.fleet.snapshot().All() {
		if n.State != messages.NodeAlive && n.State != messages.NodeDraining {
			continue
		}
		questions.Go(func() error {
			_, err := askSoon[messages.StateReply](ctx, p, n.Name(), messages.VerbState, messages.ContainerRequest{V: messages.Version, Container: container})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				found.Nodes = append(found.Nodes, n.Name())
			case !isCode(err, messages.CodeNotFound):
				found.Silent = append(found.Silent, n.Name())
			}
			return nil
		})
	}
	_ = questions.Wait() // who did not answer is silent
	slices.Sort(found.Nodes)
	slices.Sort(found.Silent)
	return found, nil
}

// nextInLine brings a job's end to those that waited for it.
func (p *Placer) nextInLine(job *messages.Job) {
	if !placement.NeedsHolder(job) {
		return
	}
	for _, waiting := range p.records.line(job.ContainerName()) {
		if waiting != job.ID {
			p.beside(func(context.Context) { p.bring(waiting, placement.Tick{}) })
		}
	}
}
