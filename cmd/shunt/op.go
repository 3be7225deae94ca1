package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// op is what the verbs have in common that ask for an op: which node, and under
// which id.
type op struct {
	id, node string
}

func (o *op) flags(cmd *cobra.Command, a *app) {
	f := cmd.Flags()
	f.StringVar(&o.id, "id", "", "`ID` of the job that asks for it (default: made up); the same one again is the same job")
	f.StringVar(&o.node, "node", "", "ask this `NODE` directly (default: the fleet, which knows who has the container)")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
}

func (o *op) how() []client.How {
	var how []client.How
	if o.id != "" {
		how = append(how, client.WithID(o.id))
	}
	if o.node != "" {
		how = append(how, client.Directly(o.node))
	}
	return how
}

// onContainer does an op on the container that is named, by its name or by its
// job's, and shows what came of it.
func (a *app) onContainer(ctx context.Context, o *op, name string, do func(context.Context, *client.Client, string, []client.How) (messages.Result, error)) error {
	return a.last(ctx, func(ctx context.Context, c *client.Client) error {
		container := name
		if o.node == "" {
			p, err := containerOf(ctx, c, name)
			if err != nil {
				return err
			}
			container = p.container // its node is for the placers to find
		}
		result, err := do(ctx, c, container, o.how())
		if err != nil {
			return err
		}
		return a.showResult(container, &result)
	})
}

// showResult prints what an op gave, in a line.
func (a *app) showResult(name string, r *messages.Result) error {
	if a.output == "json" {
		return a.json(r)
	}
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if r.State != "" {
		add("%s", r.State)
	}
	if r.ExitCode != nil {
		add("exit code %d", *r.ExitCode)
	}
	if r.Changed != nil && !*r.Changed {
		add("nothing to change")
	}
	if r.ImageDigest != "" {
		add("%s", r.ImageDigest)
	}
	if r.Size > 0 {
		add("%s", mebi(r.Size))
	}
	for _, d := range r.Deleted {
		add("deleted %s", d)
	}
	if r.Reclaimed > 0 {
		add("%s reclaimed", mebi(r.Reclaimed))
	}
	if len(parts) == 0 {
		add("done")
	}
	a.say("%s: %s", name, strings.Join(parts, ", "))
	return nil
}

// containerVerb is a verb that does an op on one container.
func (a *app) containerVerb(use, short string, o *op, do func(context.Context, *client.Client, string, []client.How) (messages.Result, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeContainers,
		RunE: func(cmd *cobra.Command, args []string) error { return a.onContainer(cmd.Context(), o, args[0], do) },
	}
	o.flags(cmd, a)
	return cmd
}

// graceVerb is a verb that ends what runs in a container, and gives it time for that.
func (a *app) graceVerb(use, short string, do func(*client.Client, context.Context, string, time.Duration, ...client.How) (messages.Result, error)) *cobra.Command {
	var grace time.Duration
	cmd := a.containerVerb(use, short, &op{}, func(ctx context.Context, c *client.Client, container string, how []client.How) (messages.Result, error) {
		return do(c, ctx, container, grace, how...)
	})
	cmd.Flags().DurationVar(&grace, "grace", 0, "how long it has before KILL (default: what its spec says, else 10s)")
	return cmd
}
