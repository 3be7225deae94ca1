package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// submission is the flags of submit.
type submission struct {
	wanted
	files []string
	node  string // which is given the job directly
	wait  bool
	auth  registryAuth
}

func (a *app) submitCommand() *cobra.Command {
	var s submission
	cmd := &cobra.Command{
		Use:   "submit -f FILE… | IMAGE [-- ARGS…]",
		Short: "give the fleet jobs",
		Long: "Gives the fleet jobs and prints their ids, once they are durable. A file holds Jobs in JSON\n" +
			"or YAML, several of them one after the other (--- between them in YAML); - is standard input.",
		Example: "  shunt submit -f job.yaml -f more.json\n" +
			"  shunt submit registry.example/team/hello:1 --wait -- echo hello",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.auth.check(s.files); err != nil {
				return err
			}
			jobs, err := a.wantedJobs(&s.wanted, s.files, args)
			if err != nil {
				return err
			}
			return a.submit(cmd.Context(), jobs, s)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&s.files, "file", "f", nil, "`FILE` with Jobs, in YAML or JSON; - is standard input; may be given again")
	f.StringVar(&s.node, "node", "", "give it to this `NODE` directly, and not to the fleet")
	f.BoolVar(&s.wait, "wait", false, "wait for the job's end")
	s.flags(cmd, a)
	s.auth.flags(f)
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	return cmd
}

func (a *app) submit(ctx context.Context, jobs []messages.Job, s submission) error {
	ask, cancel := a.patience(ctx)
	defer cancel()
	c, stop, err := a.connect(ask)
	if err != nil {
		return err
	}
	defer stop()
	for i := range jobs {
		if err := s.auth.add(ask, a.in, c, s.node, &jobs[i]); err != nil {
			return err
		}
	}
	switch {
	case s.node != "":
		return a.eachDirectly(ctx, c, jobs, s)
	case s.wait && len(jobs) == 1:
		return a.awaitEnd(ctx, func(ctx context.Context) (messages.Record, error) { return c.Run(ctx, jobs[0]) })
	}
	if err := c.SubmitMany(ask, jobs); err != nil {
		return err
	}
	ids := make([]string, len(jobs))
	for i := range jobs {
		ids[i] = jobs[i].ID
	}
	if s.wait {
		ctx, cancel := a.bounded(ctx)
		defer cancel()
		return a.waitJobs(ctx, c, ids, false)
	}
	return a.submitted(ids)
}

// submitted prints the ids of what was submitted.
func (a *app) submitted(ids []string) error {
	for _, id := range ids {
		if a.output != "json" {
			a.say("%s", id)
		} else if err := a.json(map[string]string{"id": id}); err != nil {
			return err
		}
	}
	return nil
}

// eachDirectly gives jobs to a node, one after the other.
func (a *app) eachDirectly(ctx context.Context, c *client.Client, jobs []messages.Job, s submission) error {
	var errs []error
	for i := range jobs {
		errs = append(errs, a.direct(ctx, c, jobs[i], s))
	}
	return errors.Join(errs...)
}

// direct gives the job to a node, and shows that node's answer.
func (a *app) direct(ctx context.Context, c *client.Client, job messages.Job, s submission) error {
	ask, cancel := a.patience(ctx)
	defer cancel()
	o, err := c.Command(ask, s.node, job, 0)
	if err != nil {
		return err
	}
	if o.Status == messages.StatusRejected {
		return o.Error
	}
	if s.wait {
		return a.awaitEnd(ctx, func(ctx context.Context) (messages.Record, error) { return c.Wait(ctx, job.ID) })
	}
	if a.output == "json" {
		return a.json(o)
	}
	switch {
	case o.Route != nil:
		_, err = fmt.Fprintf(a.out, "%s: %s refuses it (%s): %s\n", job.ID, o.Node, o.Route.Code, o.Route.Reason)
	default:
		_, err = fmt.Fprintf(a.out, "%s: %s by %s\n", job.ID, o.Status, o.Node)
	}
	return err
}

// awaitEnd shows a job once it has ended.
func (a *app) awaitEnd(ctx context.Context, wait func(context.Context) (messages.Record, error)) error {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	rec, err := wait(ctx)
	if err != nil {
		return err
	}
	if err := a.showRecord(&rec); err != nil {
		return err
	}
	return verdict(&rec)
}

// verdict is the error that stands for how a job ended.
func verdict(rec *messages.Record) error {
	if rec.State != messages.StateCompleted {
		return errJobFailed
	}
	return nil
}
