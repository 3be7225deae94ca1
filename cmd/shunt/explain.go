package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
			req, err := a.question(file, args)
			if err != nil {
				return err
			}
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				reply, err := c.Explain(ctx, req)
				if err != nil {
					return err
				}
				if a.output == "json" {
					return a.json(reply)
				}
				return a.showVerdicts(&reply)
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` with a Job to ask about; nothing happens to it")
	return cmd
}

// question is what is asked about: a job that the placers know, or the one in a
// file.
func (a *app) question(file string, args []string) (messages.ExplainRequest, error) {
	var req messages.ExplainRequest
	switch {
	case file != "" && len(args) > 0:
		return req, fmt.Errorf("both -f %s and a job (%s) are given; want one", file, args[0])
	case file == "" && len(args) == 0:
		return req, errors.New("no job is given; want the id of one, or -f FILE")
	case file == "":
		req.ID = args[0]
		return req, nil
	}
	jobs, err := a.wantedJobs(&wanted{}, []string{file}, nil)
	if err != nil {
		return req, err
	}
	if len(jobs) > 1 {
		return req, fmt.Errorf("-f %s: it has %d jobs; want one, since one is asked about at a time", file, len(jobs))
	}
	req.Job = &jobs[0]
	return req, nil
}

// showVerdicts prints what placement thinks of every node.
func (a *app) showVerdicts(reply *messages.ExplainReply) error {
	rows := [][]string{{"NODE", "VERDICT", "WHY"}}
	for i := range reply.Nodes {
		n := &reply.Nodes[i]
		verdict, why := n.Code, n.Reason
		if n.OK {
			verdict, why = "would do", scoreOf(n)
		}
		if n.Node == reply.Chosen {
			verdict = "chosen"
		}
		if n.Changed {
			why += "; it has changed since"
		}
		rows = append(rows, []string{n.Node, verdict, why})
	}
	if err := printProse(a.out, rows); err != nil {
		return err
	}
	if reply.More > 0 {
		a.note("%d more nodes have no room here", reply.More)
	}
	return nil
}

// scoreOf is a node's score and what it is the sum of, the most first.
func scoreOf(n *messages.NodeVerdict) string {
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(n.Parts), func(x, y string) int {
		return cmp.Or(cmp.Compare(n.Parts[y], n.Parts[x]), cmp.Compare(x, y))
	}) {
		if n.Parts[name] != 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f", name, n.Parts[name]))
		}
	}
	score := fmt.Sprintf("score %.1f", n.Score)
	if len(parts) == 0 {
		return score
	}
	return score + ": " + strings.Join(parts, ", ")
}
