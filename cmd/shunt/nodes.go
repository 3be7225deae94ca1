package main

import (
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) nodesCommand() *cobra.Command {
	var labels map[string]string
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "show the nodes and what they can run",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				var nodes []messages.NodeInfo
				for n, err := range c.Nodes(ctx, messages.NodesRequest{Labels: labels}) {
					if err != nil {
						return err
					}
					nodes = append(nodes, n)
				}
				if a.output == "json" {
					return a.json(nodes)
				}
				return showNodes(a.out, nodes)
			})
		},
	}
	cmd.Flags().StringToStringVar(&labels, "label", nil, "only nodes with this label, as `k=v`")
	return cmd
}

// showNodes prints a line for each node.
func showNodes(w io.Writer, nodes []messages.NodeInfo) error {
	rows := [][]string{{"NODE", "STATE", "HEARD", "RUNS", "CONTAINERS", "LABELS"}}
	for i := range nodes {
		n := &nodes[i]
		runs := make([]string, len(n.Platforms))
		for j, p := range n.Platforms {
			runs[j] = p.Platform.String()
		}
		rows = append(rows, []string{
			n.Node, string(n.State), n.Age.String() + " ago", orDash(strings.Join(runs, ", ")),
			strconv.Itoa(n.Containers), orDash(labelList(n.Labels)),
		})
	}
	return table(w, rows)
}

func labelList(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ",")
}
