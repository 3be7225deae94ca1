package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) statsCommand() *cobra.Command {
	var node string
	var stream bool
	cmd := &cobra.Command{
		Use:               "stats CONTAINER",
		Short:             "show what a container uses",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeContainers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				p, err := find(ctx, c, args[0], node)
				if err != nil {
					return err
				}
				if stream {
					return follow(ctx, a, c.Node(p.node).StatsStream(ctx, p.container), statsLine())
				}
				return a.showStats(ctx, c.Node(p.node), p.container)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&node, "node", "", "the `NODE` that has the container (default: it is looked for)")
	f.BoolVarP(&stream, "stream", "s", false, "go on until it ends")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	return cmd
}

func (a *app) showStats(ctx context.Context, node *client.Node, container string) error {
	ctx, cancel := a.patience(ctx)
	defer cancel()
	s, err := node.Stats(ctx, container)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.json(s)
	}
	return list(a, []string{"CPU TIME", "MEMORY", "LIMIT", "PIDS", "DISK READ/WRITTEN", "NETWORK IN/OUT"}, just(s), func(s *messages.Stats) []string {
		return []string{
			(time.Duration(s.CPUUsageUsec) * time.Microsecond).Round(time.Millisecond).String(), mebi(int64(s.MemoryBytes)), limit(s.MemoryLimit), fmt.Sprint(s.PIDs),
			mebi(int64(s.IO.ReadBytes)) + " / " + mebi(int64(s.IO.WriteBytes)), mebi(int64(s.Network.RxBytes)) + " / " + mebi(int64(s.Network.TxBytes)),
		}
	})
}

// just is a sequence of one.
func just[T any](v T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { yield(v, nil) }
}

func limit(bytes uint64) string {
	if bytes == 0 {
		return "none"
	}
	return mebi(int64(bytes))
}

// statsLine writes figures with the share of a core since the ones before.
func statsLine() func(*messages.Stats) string {
	var before messages.Stats
	return func(s *messages.Stats) string {
		cpu := "-"
		if took := s.At.Sub(before.At); !before.At.IsZero() && took > 0 && s.CPUUsageUsec >= before.CPUUsageUsec {
			used := time.Duration(s.CPUUsageUsec-before.CPUUsageUsec) * time.Microsecond
			cpu = fmt.Sprintf("%.1f%%", 100*float64(used)/float64(took))
		}
		before = *s
		return fmt.Sprintf("%s  cpu %s  memory %s  pids %d  net %s in, %s out", s.At.Local().Format(time.TimeOnly), cpu,
			mebi(int64(s.MemoryBytes)), s.PIDs, mebi(int64(s.Network.RxBytes)), mebi(int64(s.Network.TxBytes)))
	}
}
