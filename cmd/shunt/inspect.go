package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) inspectCommand() *cobra.Command {
	var node string
	cmd := &cobra.Command{
		Use:               "inspect CONTAINER",
		Short:             "show everything its node knows of a container",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeContainers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				p, err := find(ctx, c, args[0], node)
				if err != nil {
					return err
				}
				reply, err := c.Node(p.node).Inspect(ctx, p.container)
				if err != nil {
					return err
				}
				return a.showContainer(p.node, &reply)
			})
		},
	}
	cmd.Flags().StringVar(&node, "node", "", "the `NODE` that has the container (default: it is looked for)")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	return cmd
}

func (a *app) showContainer(node string, r *messages.InspectReply) error {
	if a.output == "json" {
		return a.json(r)
	}
	rows := [][]string{
		{"container", r.Container}, {"node", node}, {"job", r.Job}, {"state", r.State},
		{"exit", exitText(r.ExitCode, r.ExitReason)}, {"image", r.Image}, {"digest", r.ImageDigest},
		{"platform", r.Platform.String()}, {"runtime", r.Runtime}, {"pid", number(r.PID)}, {"ip", r.IP},
		{"ports", portList(r.Ports)}, {"created", instant(r.Created)}, {"started", instant(r.StartedAt)},
		{"finished", instant(r.FinishedAt)}, {"labels", labelList(r.Labels)},
	}
	if h := r.Health; h != nil {
		rows = append(rows, []string{"health", strings.TrimSpace(fmt.Sprintf("%s %s", h.Status, h.LastOutput))})
	}
	return pairs(a.out, rows)
}

func exitText(code *int, reason messages.ExitReason) string {
	if code == nil {
		return string(reason)
	}
	return fmt.Sprintf("%d (%s)", *code, reason)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.RFC3339)
}

func portList(ports []messages.Port) string {
	parts := make([]string, len(ports))
	for i, p := range ports {
		protocol := p.Protocol
		if protocol == "" {
			protocol = "tcp"
		}
		parts[i] = fmt.Sprintf("%d->%d/%s", p.Host, p.Container, protocol)
	}
	return strings.Join(parts, ", ")
}
