package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) nodesCommand() *cobra.Command {
	var req messages.NodesRequest
	var platform string
	cmd := &cobra.Command{
		Use:   "nodes",
		Short: "list the nodes and what they can run",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if platform != "" {
				p, err := messages.ParsePlatform(platform)
				if err != nil {
					return fmt.Errorf("--platform: %w", err)
				}
				req.Platform = &p
			}
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				nodes := paced(ctx, answerWithin, func(ctx context.Context) iter.Seq2[messages.NodeInfo, error] { return c.Nodes(ctx, req) })
				return list(a, nodesHead, nodes, nodeRow)
			})
		},
	}
	cmd.Flags().StringToStringVar(&req.Labels, "label", nil, "only nodes with this label, as `k=v`")
	cmd.Flags().StringVar(&platform, "platform", "", "only nodes that run this `OS/ARCH`")
	return cmd
}

var nodesHead = []string{"NODE", "STATE", "HEARD", "RUNS", "CONTAINERS", "LABELS"}

// showNodes prints a line for each node.
func showNodes(w io.Writer, nodes []messages.NodeInfo) error {
	t := newTable(w, nodesHead)
	for i := range nodes {
		if err := t.row(nodeRow(&nodes[i])...); err != nil {
			return err
		}
	}
	return t.flush()
}

func nodeRow(n *messages.NodeInfo) []string {
	runs := make([]string, len(n.Platforms))
	for j, p := range n.Platforms {
		runs[j] = p.Platform.String()
	}
	return []string{
		n.Node, string(n.State), n.Age.String() + " ago", orDash(strings.Join(runs, ", ")),
		strconv.Itoa(n.Containers), orDash(labelList(n.Labels)),
	}
}

func labelList(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ",")
}
