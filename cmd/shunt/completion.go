package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func completionCommand() *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"bash":       func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) },
		"zsh":        func(c *cobra.Command, w io.Writer) error { return c.GenZshCompletion(w) },
		"fish":       func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) },
		"powershell": func(c *cobra.Command, w io.Writer) error { return c.GenPowerShellCompletionWithDesc(w) },
	}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "print a script with which a shell completes verbs, flags, and the names of jobs and nodes",
		Long: "Prints a script with which a shell completes verbs, flags, and the names of jobs and nodes:\n\n" +
			"  bash: source <(shunt completion bash)    (with bash-completion)\n" +
			"  zsh:  shunt completion zsh > \"${fpath[1]}/_shunt\"\n" +
			"  fish: shunt completion fish > ~/.config/fish/completions/shunt.fish",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return shells[args[0]](cmd.Root(), cmd.OutOrStdout())
		},
	}
}

const (
	// completeWithin is how long somebody who presses a key waits.
	completeWithin = 2 * time.Second
	// mostCompletions is how many names are worth showing.
	mostCompletions = 500
)

// complete asks the fleet for names. That it cannot be reached is no answer, and
// no error: a shell would print it into the line.
func (a *app) complete(cmd *cobra.Command, names func(context.Context, *client.Client, func(name string) bool)) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(context.Background(), completeWithin)
	defer cancel()
	if a.begin(cmd) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []string
	_ = a.with(ctx, func(ctx context.Context, c *client.Client) error {
		names(ctx, c, func(name string) bool {
			found = append(found, name)
			return len(found) < mostCompletions
		})
		return nil
	})
	return found, cobra.ShellCompDirectiveNoFileComp
}

// completeNodes also completes the last of several nodes, with commas between.
func (a *app) completeNodes(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	last := strings.LastIndexByte(begun, ',') + 1
	before, begun := begun[:last], begun[last:]
	return a.complete(cmd, func(ctx context.Context, c *client.Client, add func(string) bool) {
		for n, err := range c.Nodes(ctx, messages.NodesRequest{Page: from(begun)}) {
			if err != nil || !strings.HasPrefix(n.Node, begun) || !add(before+n.Node) {
				return
			}
		}
	})
}

func (a *app) completeJobs(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, func(ctx context.Context, c *client.Client, add func(string) bool) {
		for r, err := range c.Jobs(ctx, messages.JobsRequest{Page: from(begun)}) {
			if err != nil || !strings.HasPrefix(r.Job.ID, begun) || !add(r.Job.ID) {
				return
			}
		}
	})
}

// completeContainers goes through the jobs in the order of their ids, which says
// nothing of their containers' names; of a service that is named in full it asks
// for the jobs alone.
func (a *app) completeContainers(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	req := messages.JobsRequest{Page: messages.Page{Limit: messages.MaxPageSize}}
	if i := strings.LastIndex(begun, "-rep-"); i > 0 {
		req.Service = begun[:i]
	}
	return a.complete(cmd, func(ctx context.Context, c *client.Client, add func(string) bool) {
		for r, err := range c.Jobs(ctx, req) {
			if err != nil {
				return
			}
			if r.Node == "" || !r.Job.Op.Places() || !strings.HasPrefix(r.Job.ContainerName(), begun) {
				continue
			}
			if !add(r.Job.ContainerName()) {
				return
			}
		}
	})
}

// from is where a list begins that is in the order of names, for those with a
// beginning: what comes before it cannot be meant.
func from(begun string) messages.Page {
	if begun == "" {
		return messages.Page{}
	}
	last := []byte(begun)
	last[len(last)-1]-- // the cursor is the last one that is not wanted
	return messages.Page{Cursor: string(last) + "~"}
}

func completeStates(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range messages.States() {
		names = append(names, string(s))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
