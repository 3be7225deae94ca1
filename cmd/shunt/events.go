package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) eventsCommand() *cobra.Command {
	var kinds []string
	var node string
	cmd := &cobra.Command{
		Use:   "events",
		Short: "show what happens in the fleet from now on",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			wanted, err := eventKinds(kinds)
			if err != nil {
				return err
			}
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				return follow(ctx, a, eventsOf(c.Events(ctx, wanted...), node), eventLine)
			})
		},
	}
	cmd.Flags().StringSliceVar(&kinds, "kind", nil, "only these `KINDS`")
	cmd.Flags().StringVar(&node, "node", "", "only what this `NODE` tells")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(kindNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func kindNames() []string {
	var names []string
	for _, k := range messages.EventKinds() {
		names = append(names, string(k))
	}
	return names
}

func eventKinds(names []string) ([]messages.EventKind, error) {
	var kinds []messages.EventKind
	for _, name := range names {
		if !slices.Contains(kindNames(), name) {
			return nil, fmt.Errorf("--kind: %q is no kind of event; want some of %s", name, strings.Join(kindNames(), ", "))
		}
		kinds = append(kinds, messages.EventKind(name))
	}
	return kinds, nil
}

// eventsOf leaves out what others than the node tell.
func eventsOf(events iter.Seq2[messages.Event, error], node string) iter.Seq2[messages.Event, error] {
	return func(yield func(messages.Event, error) bool) {
		for e, err := range events {
			if (err != nil || node == "" || e.Node == node) && !yield(e, err) {
				return
			}
		}
	}
}

func eventLine(e *messages.Event) string {
	parts := []string{e.At.Local().Format(time.TimeOnly), e.Node, string(e.Kind)}
	if e.Job != "" {
		parts = append(parts, fmt.Sprintf("%s/%d", e.Job, e.Attempt))
	}
	if e.Container != "" {
		parts = append(parts, e.Container)
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	return strings.Join(parts, "  ")
}
