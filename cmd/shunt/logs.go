package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) logsCommand() *cobra.Command {
	var req messages.LogsRequest
	var tail int
	var since time.Duration
	var node string
	cmd := &cobra.Command{
		Use:   "logs JOB",
		Short: "show the output of a job's container",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.bounded(cmd.Context())
			defer cancel()
			c, err := a.connect(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			req.Job = args[0]
			if tail >= 0 {
				req.Tail = &tail
			}
			if since > 0 {
				req.Since = time.Now().Add(-since)
			}
			if node == "" {
				if node, err = a.nodeOf(ctx, c, args[0]); err != nil {
					return err
				}
			}
			return a.copyLogs(ctx, c, node, req)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&req.Follow, "follow", "f", false, "go on until the container ends")
	f.IntVar(&tail, "tail", -1, "only the last `LINES`")
	f.DurationVar(&since, "since", 0, "only what was written within this `DURATION`")
	f.StringVar(&node, "node", "", "the `NODE` to ask (default: where the job is, or was last)")
	return cmd
}

// nodeOf is the node that has, or last had, a job.
func (a *app) nodeOf(ctx context.Context, c *client.Client, job string) (string, error) {
	ask, cancel := a.patience(ctx)
	defer cancel()
	rec, err := c.Job(ask, job)
	if err != nil {
		return "", err
	}
	if rec.Node == "" {
		return "", fmt.Errorf("job %s has no output: it is %s (%s)", job, rec.State, rec.Reason)
	}
	return rec.Node, nil
}

// copyLogs writes a container's output to where it belongs.
func (a *app) copyLogs(ctx context.Context, c *client.Client, node string, req messages.LogsRequest) error {
	return c.Node(node).CopyLogs(ctx, req, a.out, a.err)
}
