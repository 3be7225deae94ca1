package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) deleteCommand() *cobra.Command {
	var file string
	var dryRun, wait bool
	cmd := &cobra.Command{
		Use:   "delete DEPLOYMENT | -f FILE",
		Short: "end all jobs of a deployment",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (file == "") {
				return errors.New("want the name of a deployment, or -f FILE; and not both")
			}
			var name string
			if file == "" {
				name = args[0]
			} else {
				d, err := a.readDeployment(file)
				if err != nil {
					return err
				}
				name = d.Name
			}
			if err := messages.CheckToken("deployment", name); err != nil {
				return err
			}
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error { return a.delete(ctx, c, name, dryRun, wait) })
		},
	}
	f := cmd.Flags()
	f.StringVarP(&file, "file", "f", "", "`FILE` with the deployment, in YAML; - is standard input")
	f.BoolVar(&dryRun, "dry-run", false, "say what would be done, and do nothing")
	f.BoolVar(&wait, "wait", false, "wait until all of it has ended")
	return cmd
}

func (a *app) delete(ctx context.Context, c *client.Client, name string, dryRun, wait bool) error {
	live, err := liveOf(ctx, c, name)
	if err != nil {
		return err
	}
	p := &plan{}
	for i := range live {
		job := &live[i].Job
		p.steps = append(p.steps, step{Action: actRemove, Container: job.ContainerName(), Job: job.ID, Why: "deployment " + name + " is deleted"})
	}
	if len(p.steps) == 0 {
		a.note("nothing of deployment %s runs; `shunt jobs` lists what does", name)
		if a.output == "table" {
			return nil
		}
	}
	if err := a.showPlan(p); err != nil || dryRun {
		return err
	}
	if err := a.carryOut(ctx, c, p); err != nil || !wait {
		return err
	}
	for _, s := range p.steps {
		if _, err := c.Wait(ctx, s.Job); err != nil {
			return fmt.Errorf("%s: %w", s.Job, err)
		}
	}
	return nil
}
