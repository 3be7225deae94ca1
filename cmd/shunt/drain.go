package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) drainCommand() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:               "drain NODE",
		Short:             "let a node take no more work, and its services move away",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				ctx, cancel := context.WithTimeout(ctx, wait+2*answerWithin)
				defer cancel()
				reply, err := c.Drain(ctx, messages.DrainRequest{Node: args[0], Timeout: messages.Duration(wait)})
				return a.showDrain(&reply, err)
			})
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait this long for nothing to be left")
	return cmd
}

// showDrain prints how far a drain is.
func (a *app) showDrain(reply *messages.DrainReply, err error) error {
	switch {
	case err != nil:
		return err
	case a.output == "json":
		return a.json(reply)
	case reply.Draining:
		a.say("%s: draining, %d left", reply.Node, reply.Left)
	default:
		a.say("%s: takes work", reply.Node)
	}
	return nil
}
