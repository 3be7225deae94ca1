package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) tagCommand() *cobra.Command {
	return a.imageVerb("tag IMAGE NAME", "give an image on a node another name", 2,
		func(ctx context.Context, c *client.Client, node string, args []string, how []client.How) (messages.Result, error) {
			return c.Tag(ctx, node, args[0], args[1], how...)
		})
}

// imageVerb is a verb that does an op on a node's images.
func (a *app) imageVerb(use, short string, args int, do func(context.Context, *client.Client, string, []string, []client.How) (messages.Result, error)) *cobra.Command {
	var node, id string
	cmd := &cobra.Command{
		Use: use + " --node NODE", Short: short, Args: cobra.ExactArgs(args),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				var how []client.How
				if id != "" {
					how = append(how, client.WithID(id))
				}
				result, err := do(ctx, c, node, args, how)
				if err != nil {
					return err
				}
				return a.showResult(node, &result)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&node, "node", "", "the `NODE` whose images are meant")
	f.StringVar(&id, "id", "", "`ID` of the job that asks for it (default: made up)")
	_ = cmd.MarkFlagRequired("node")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	return cmd
}
