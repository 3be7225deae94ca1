package main

import (
	"context"
	"fmt"

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
	holders := map[string]*messages.Record{} // by container
	for i := range live {
		holders[live[i].Job.ContainerName()] = &live[i]
	}
	p := &plan{}
	wanted := map[string]bool{}
	for i := range d.Jobs {
		job := &d.Jobs[i]
		wanted[job.ContainerName()] = true
		holder := holders[job.ContainerName()]
		s := step{Container: job.ContainerName(), Job: job.ID}
		if holder != nil && holder.Job.ID == job.ID && holder.State == messages.StateCancelling {
			s.Action, s.Why, s.ending = actRetry, "it is about to end", true
		} else if holder != nil && holder.Job.ID == job.ID {
			s.Action, s.Why = actKeep, stateOf(holder)
		} else if s, err = lookBack(ctx, c, s, holder); err != nil {
			return nil, err
		}
		if s.Action == actStart || s.Action == actReplace {
			p.submit = append(p.submit, *job)
		}
		p.steps = append(p.steps, s)
	}
	for i := range live {
		if name := live[i].Job.ContainerName(); !wanted[name] {
			p.steps = append(p.steps, step{Action: actRemove, Container: name, Job: live[i].Job.ID, Why: "the deployment does not name it any more"})
		}
	}
	return p, nil
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
