package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/deployment"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// action is what is done about one container of a deployment.
type action string

const (
	actKeep    action = "keep"
	actStart   action = "start"
	actReplace action = "replace"
	actRetry   action = "retry" // the same job has ended, and is wanted again
	actRemove  action = "remove"
)

// step is one container's part of a plan.
type step struct {
	Action    action `json:"action"`
	Container string `json:"container"`
	Job       string `json:"job"`
	Why       string `json:"why,omitzero"`

	ending bool // the job that is retried has not ended yet
}

// plan is what makes a deployment what its file says.
type plan struct {
	steps  []step
	submit []messages.Job
}

// planFor compares a deployment with what runs of it.
func planFor(ctx context.Context, c *client.Client, d deployment.Deployment) (*plan, error) {
	live, err := liveOf(ctx, c, d.Name)
	if err != nil {
		return nil, err
	}
	named := map[string][]*messages.Record{} // by container
	for i := range live {
		named[live[i].Job.ContainerName()] = append(named[live[i].Job.ContainerName()], &live[i])
	}
	p, others := &plan{}, strangers{}
	for i := range d.Jobs {
		job := &d.Jobs[i]
		there := named[job.ContainerName()]
		delete(named, job.ContainerName())
		if len(there) == 0 {
			if err := others.refuse(ctx, c, &d, job); err != nil {
				return nil, err
			}
		}
		s, err := stepFor(ctx, c, job, there)
		if err != nil {
			return nil, err
		}
		if s.Action == actStart || s.Action == actReplace {
			p.submit = append(p.submit, *job)
		}
		p.steps = append(p.steps, s)
		for _, other := range there {
			if other.Job.ID != job.ID && s.Action == actKeep && !other.Named {
				p.remove(other, "it was to take over from "+job.ID)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		for _, rec := range named[name] {
			p.remove(rec, "the deployment does not name it any more")
		}
	}
	return p, nil
}

func (p *plan) remove(rec *messages.Record, why string) {
	p.steps = append(p.steps, step{Action: actRemove, Container: rec.Job.ContainerName(), Job: rec.Job.ID, Why: why})
}

// stepFor decides about one job, beside the live ones that have, or want, its name.
func stepFor(ctx context.Context, c *client.Client, job *messages.Job, there []*messages.Record) (step, error) {
	s := step{Container: job.ContainerName(), Job: job.ID}
	var own, holder *messages.Record
	for _, rec := range there {
		switch {
		case rec.Job.ID == job.ID:
			own = rec
		case holder == nil || rec.Named:
			holder = rec
		}
	}
	switch {
	case own == nil:
		return lookBack(ctx, c, s, holder)
	case own.State == messages.StateCancelling || holder != nil && holder.Named && holder.Replaces != nil && holder.Replaces.Job == own.Job.ID:
		s.Action, s.Why, s.ending = actRetry, "it is about to end", true
	default:
		s.Action, s.Why = actKeep, stateOf(own)
	}
	return s, nil
}

// strangers are the live jobs of other deployments, or of none, by service and
// container; asked for when they are first wanted.
type strangers map[string]map[string]string

// refuse refuses a job that would take over the name of one of them.
func (s strangers) refuse(ctx context.Context, c *client.Client, d *deployment.Deployment, job *messages.Job) error {
	service := job.EffectiveService()
	if s[service] == nil {
		s[service] = map[string]string{}
		for rec, err := range c.Jobs(ctx, messages.JobsRequest{Service: service}) {
			if err != nil {
				return err
			}
			if !rec.State.Ended() {
				s[service][rec.Job.ContainerName()] = rec.Job.ID
			}
		}
	}
	holder := s[service][job.ContainerName()]
	if holder == "" {
		return nil
	}
	of := ""
	if rec, err := c.Job(ctx, holder); err == nil && rec.Job.Spec != nil && rec.Job.Spec.Labels[deployment.Label] != "" {
		of = " of deployment " + rec.Job.Spec.Labels[deployment.Label]
	}
	return fmt.Errorf("deployment %s: the name %s belongs to job %s%s; rename the deployment or the service, or end that job first",
		d.Name, job.ContainerName(), holder, of)
}

// lookBack decides about a job that does not run: it may have before.
func lookBack(ctx context.Context, c *client.Client, s step, holder *messages.Record) (step, error) {
	rec, err := c.Job(ctx, s.Job)
	switch {
	case isNotFound(err) && holder == nil:
		s.Action = actStart
	case isNotFound(err):
		s.Action, s.Why = actReplace, "in place of "+holder.Job.ID
	case err != nil:
		return s, err
	case rec.State == messages.StateCompleted:
		s.Action, s.Why = actKeep, "it is done"
		if rec.Job.EffectiveKind() == messages.KindService {
			s.Why = "it was stopped; `shunt start` starts it, and so does any change of it"
		}
	case rec.State.Ended():
		s.Action, s.Why = actRetry, fmt.Sprintf("it was %s", rec.State)
		if holder != nil {
			s.Why += ", and takes over from " + holder.Job.ID
		}
	default:
		s.Action, s.Why = actKeep, stateOf(&rec)
	}
	return s, nil
}

// liveOf is the live jobs of a deployment.
func liveOf(ctx context.Context, c *client.Client, name string) ([]messages.Record, error) {
	var live []messages.Record
	for rec, err := range c.Jobs(ctx, messages.JobsRequest{Labels: map[string]string{deployment.Label: name}}) {
		if err != nil {
			return nil, err
		}
		if !rec.State.Ended() { // it may still be on its way out
			live = append(live, rec)
		}
	}
	return live, nil
}
