package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) explainCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:               "explain JOB | -f FILE",
		Short:             "say why a job is where it is, or where one would go",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var req messages.ExplainRequest
			switch {
			case file != "":
				jobs, err := a.wantedJobs(&wanted{}, []string{file}, nil)
				if err != nil {
					return err
				}
				req.Job = &jobs[0]
			case len(args) == 1:
				req.ID = args[0]
			default:
				return fmt.Errorf("no job is given; want the id of one, or -f FILE")
			}
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				reply, err := c.Explain(ctx, req)
				if err != nil {
					return err
				}
				if a.output == "json" {
					return a.json(reply)
				}
				return showVerdicts(a.out, &reply)
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` with a Job to ask about; nothing happens to it")
	return cmd
}

// showVerdicts prints what placement thinks of every node.
func showVerdicts(w io.Writer, reply *messages.ExplainReply) error {
	rows := [][]string{{"NODE", "VERDICT", "WHY"}}
	for _, n := range reply.Nodes {
		switch {
		case n.Node == reply.Chosen:
			rows = append(rows, []string{n.Node, "chosen", fmt.Sprintf("score %.1f", n.Score)})
		case n.OK:
			rows = append(rows, []string{n.Node, "would do", fmt.Sprintf("score %.1f", n.Score)})
		default:
			rows = append(rows, []string{n.Node, n.Code, n.Reason})
		}
	}
	return printTable(w, rows)
}
