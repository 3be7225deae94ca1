package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) infoCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "info [NODE]",
		Short:             "show what the placers, or a node, say of themselves",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if len(args) == 0 {
					return a.placerInfo(ctx, c)
				}
				return a.nodeInfo(ctx, c.Node(args[0]))
			})
		},
	}
}

func (a *app) placerInfo(ctx context.Context, c *client.Client) error {
	info, err := c.Info(ctx)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.json(info)
	}
	var jobs []string
	for _, state := range messages.States() {
		if n := info.Counts[state]; n > 0 {
			jobs = append(jobs, fmt.Sprintf("%d %s", n, state))
		}
	}
	return pairs(a.out, [][]string{
		{"placer", info.ID}, {"version", info.Version}, {"placers", strings.Join(info.Placers, ", ")},
		{"live jobs", orNone(strings.Join(jobs, ", "))}, {"xkey", info.XKey},
	})
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (a *app) nodeInfo(ctx context.Context, node *client.Node) error {
	info, err := node.Info(ctx)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.json(info)
	}
	rows := [][]string{{"node", info.Node}, {"version", info.Version}, {"incarnation", info.Incarnation}, {"policy", labelList(info.Policy)}, {"xkey", info.XKey}}
	for _, r := range info.Runtimes {
		platforms := make([]string, len(r.Platforms))
		for i, p := range r.Platforms {
			platforms[i] = p.String()
		}
		about := strings.TrimSpace(fmt.Sprintf("%s %s", r.Kind, r.Version)) + ", runs " + orNone(strings.Join(platforms, ", "))
		if r.Error != "" {
			about += "; " + r.Error
		}
		rows = append(rows, []string{"runtime " + r.Name, about})
	}
	return pairs(a.out, rows)
}
