package main

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) imagesCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "images NODE",
		Short:             "list the images that a node holds",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				images := paced(ctx, answerWithin, func(ctx context.Context) iter.Seq2[messages.ImageInfo, error] { return c.Node(args[0]).Images(ctx) })
				return list(a, []string{"IMAGE", "SIZE", "PLATFORMS", "DIGEST"}, images, imageRow)
			})
		},
	}
}

func imageRow(i *messages.ImageInfo) []string {
	platforms := make([]string, len(i.Platforms))
	for n, p := range i.Platforms {
		platforms[n] = p.String()
	}
	return []string{i.Reference, mebi(i.Size), orDash(strings.Join(platforms, ", ")), orDash(i.Digest)}
}
