package main

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) peersCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "peers NODE",
		Short:             "list the nodes that a node itself has heard",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				peers := paced(ctx, answerWithin, func(ctx context.Context) iter.Seq2[messages.NodeInfo, error] { return c.Node(args[0]).Peers(ctx) })
				return list(a, nodesHead, peers, nodeRow)
			})
		},
	}
}
