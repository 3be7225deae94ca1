package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) pullCommand() *cobra.Command {
	var nodes []string
	var policy, platform string
	cmd := &cobra.Command{
		Use:     "pull IMAGE --node NODE,…",
		Short:   "fetch an image to nodes",
		Example: "  shunt pull registry.example/team/web:2 --node linux-1,linux-2",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			wants := messages.Args{Policy: messages.PullPolicy(policy)}
			if platform != "" {
				p, err := messages.ParsePlatform(platform)
				if err != nil {
					return fmt.Errorf("--platform: %w", err)
				}
				wants.Platform = &p
			}
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				return a.pull(ctx, c, args[0], nodes, wants)
			})
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&nodes, "node", nil, "the `NODES` that are to have it")
	f.StringVar(&policy, "policy", "", "always, newer, if_not_present (default) or never")
	f.StringVar(&platform, "platform", "", "`OS/ARCH` of the image (default: what the node runs)")
	_ = cmd.MarkFlagRequired("node")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	_ = cmd.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions([]string{"always", "newer", "if_not_present", "never"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// pull fetches the image to all nodes at once, and tells meanwhile what they
// tell of it.
func (a *app) pull(ctx context.Context, c *client.Client, image string, nodes []string, args messages.Args) error {
	ids := map[string]string{} // of the pulls, and their nodes
	for _, node := range nodes {
		ids[client.NewID()] = node
	}
	defer a.progress(ctx, c, slices.Collect(maps.Keys(ids))...)()
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	for id, node := range ids {
		wg.Go(func() {
			result, err := c.Pull(ctx, node, image, args, client.WithID(id))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				err = a.showResult(node, &result)
			} else {
				err = fmt.Errorf("%s: %w", node, err)
			}
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// progress tells how the pulls of jobs go, until stop is called.
func (a *app) progress(ctx context.Context, c *client.Client, jobs ...string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() {
		for e, err := range c.Events(ctx, messages.EventPulling) {
			if err != nil {
				return
			}
			if slices.Contains(jobs, e.Job) {
				a.note("%s: %s %s", e.Node, e.Kind, e.Message)
			}
		}
	})
	return func() { cancel(); telling.Wait() }
}
