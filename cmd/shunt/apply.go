package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/deployment"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// applying is the flags of apply.
type applying struct {
	file   string
	dryRun bool
	wait   bool
}

func (a *app) applyCommand() *cobra.Command {
	var s applying
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "make a deployment what its file says",
		Long: "Makes a deployment what its file says: starts what is not there, replaces what has changed,\n" +
			"ends what the file does not name any more. To apply the same file again changes nothing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := a.readDeployment(s.file)
			if err != nil {
				return err
			}
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error { return a.apply(ctx, c, d, s) })
		},
	}
	f := cmd.Flags()
	f.StringVarP(&s.file, "file", "f", "", "`FILE` with the deployment, in YAML; - is standard input")
	f.BoolVar(&s.dryRun, "dry-run", false, "say what would be done, and do nothing")
	f.BoolVar(&s.wait, "wait", false, "wait until all of it runs, or is done")
	_ = cmd.MarkFlagRequired("file")
	return cmd
}

// readDeployment reads a deployment's file. Each mistake is a line of the error,
// as editors and people look for it: FILE:LINE.
func (a *app) readDeployment(path string) (deployment.Deployment, error) {
	data, err := a.readFile(path)
	if err != nil {
		return deployment.Deployment{}, err
	}
	d, err := deployment.Parse(data)
	mistakes, ok := errors.AsType[deployment.Mistakes](err)
	if !ok {
		return d, err
	}
	lines := make([]error, len(mistakes))
	for i, m := range mistakes {
		lines[i] = fmt.Errorf("%s:%d: %s%s", path, m.Line, withColon(m.Field), m.Message)
	}
	return d, errors.Join(lines...)
}

func withColon(field string) string {
	if field == "" {
		return ""
	}
	return field + ": "
}

func (a *app) apply(ctx context.Context, c *client.Client, d deployment.Deployment, s applying) error {
	p, err := planFor(ctx, c, d)
	if err != nil {
		return err
	}
	if err := a.showPlan(p); err != nil || s.dryRun {
		return err
	}
	if err := a.carryOut(ctx, c, p); err != nil {
		return err
	}
	if !s.wait {
		return nil
	}
	for i := range d.Jobs {
		job := &d.Jobs[i]
		rec, err := waitJob(ctx, c, job.ID, job.Kind == messages.KindService)
		if err != nil {
			return err
		}
		a.note("%s: %s", job.ID, stateOf(&rec))
		if rec.State.Ended() && rec.State != messages.StateCompleted {
			return errJobFailed
		}
	}
	return nil
}

// showPlan prints what is to be done.
func (a *app) showPlan(p *plan) error {
	steps := func(yield func(step, error) bool) {
		for _, s := range p.steps {
			if !yield(s, nil) {
				return
			}
		}
	}
	return list(a, []string{"ACTION", "CONTAINER", "JOB", "WHY"}, iter.Seq2[step, error](steps), func(s *step) []string {
		return []string{string(s.Action), s.Container, s.Job, s.Why}
	})
}

// carryOut does what the plan says. What is new comes first, and what is to go
// goes when that is durable.
func (a *app) carryOut(ctx context.Context, c *client.Client, p *plan) error {
	if err := c.SubmitMany(ctx, p.submit); err != nil {
		return err
	}
	if err := a.takenIn(ctx, c, p.submit); err != nil {
		return err
	}
	var errs []error
	for _, s := range p.steps {
		var err error
		switch s.Action {
		case actRetry:
			err = retry(ctx, c, &s)
		case actRemove:
			_, err = c.Cancel(ctx, s.Job, s.Why)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Job, err))
		}
	}
	return errors.Join(errs...)
}

// takenWithin is how long placers may take to take in what was submitted.
const takenWithin = 10 * time.Second

// takenIn waits until what was submitted has records: the next apply compares
// itself with those. That no placer is there is no mistake of the file's.
func (a *app) takenIn(ctx context.Context, c *client.Client, jobs []messages.Job) error {
	ctx, cancel := context.WithTimeout(ctx, takenWithin)
	defer cancel()
	for i := range jobs {
		for _, err := range c.Watch(ctx, jobs[i].ID) {
			if err != nil && ctx.Err() != nil {
				a.note("%s waits to be taken in by a placer", jobs[i].ID)
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", jobs[i].ID, err)
			}
			break
		}
	}
	return nil
}

// retry gives a job that has ended another life.
func retry(ctx context.Context, c *client.Client, s *step) error {
	if s.ending {
		if _, err := c.Wait(ctx, s.Job); err != nil {
			return err
		}
	}
	_, err := c.Retry(ctx, s.Job, "applied again")
	return err
}
