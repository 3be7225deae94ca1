package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/internal/sim"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// simulation is the flags of the verb.
type simulation struct {
	sim.Campaign
	faults string
	again  int
	quiet  bool
}

func (a *app) simCommand(harness func() *testing.T) *cobra.Command {
	s := &simulation{}
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "a whole fleet under virtual time, with faults, seed after seed",
		Long: `sim runs the real workers and placers over a bus, machines and disks in memory,
under virtual time. Calls crash, messages get lost, networks break, clocks are
wrong, machines lose their power; then everything is mended, and a checker says
whether the guarantees held. It needs no NATS, and no containers.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simulate(cmd.Context(), s, harness) },
	}
	f := cmd.Flags()
	f.Uint64Var(&s.Seed, "seed", 1, "the first `SEED`")
	f.IntVar(&s.Runs, "runs", 1, "how many seeds, one after the other; 0: until it is stopped")
	f.IntVar(&s.again, "again", 1, "how often each seed; not every failure comes back at the first try")
	f.IntVar(&s.Nodes, "nodes", 4, "how many workers; the second one pretends to be Windows")
	f.IntVar(&s.Placers, "placers", 2, "how many placers")
	f.IntVar(&s.Jobs, "jobs", 40, "how many jobs")
	f.DurationVar(&s.Length, "length", time.Minute, "how long things go wrong, in virtual time")
	f.StringVar(&s.faults, "faults", "all", "what goes wrong: all, none, or a `LIST` of "+fmt.Sprint(sim.AllFaults()))
	f.BoolVar(&s.Cover, "cover", false, "go on until processes have crashed at every call of every port")
	f.BoolVar(&s.quiet, "quiet", false, "print no line for each run")
	return cmd
}

// simulate does the runs. It takes one core, so that a seed does the same again
// as often as it can.
func (a *app) simulate(ctx context.Context, s *simulation, harness func() *testing.T) error {
	var err error
	if s.Config.Faults, err = sim.ParseFaults(s.faults); err != nil {
		return err
	}
	if s.Runs < 0 || s.again < 1 {
		return fmt.Errorf("runs: %d and again: %d are not allowed; want 0 or more, and 1 or more", s.Runs, s.again)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	t := harness()
	if !s.quiet {
		s.Each = a.simRan
	}
	s.Stop = func() bool { return ctx.Err() != nil }
	all, err := a.simRuns(t, s)
	crashes, hit, of := all.Total()
	if a.output == "json" {
		return errors.Join(err, json.NewEncoder(a.out).Encode(map[string]int{"crashes": crashes, "points_hit": hit, "points": of}))
	}
	_, _ = fmt.Fprintf(a.out, "%d crashes, at %d of the %d points where a process can crash\n", crashes, hit, of)
	return err
}

// simRuns does all runs, each as often as it is wanted.
func (a *app) simRuns(t *testing.T, s *simulation) (*sim.Coverage, error) {
	all := &sim.Coverage{}
	for range s.again {
		coverage, failed, err := s.Campaign.Run(t)
		all.Add(coverage)
		if failed != nil {
			out := a.out
			if a.output == "json" {
				out = a.err // it is prose
			}
			failed.Explain(out)
			return all, errors.Join(errSimFailed, errJobFailed)
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

var errSimFailed = errors.New("a guarantee did not hold")

// simDocument is simRan's line in JSON.
type simDocument struct {
	Seed        uint64            `json:"seed"`
	Held        bool              `json:"held"`
	Virtual     messages.Duration `json:"virtual"`
	Jobs        int               `json:"jobs"`
	Containers  int               `json:"containers"`
	Moves       int               `json:"moves"`
	NodesAway   int               `json:"nodes_away"`
	PlacersAway int               `json:"placers_away"`
	BusAway     int               `json:"bus_away"`
}

// simRan prints a line about a run.
func (a *app) simRan(r *sim.Result) {
	held := "held"
	if !r.OK() {
		held = "BROKEN"
	}
	sum := r.Verdict.Summary
	if a.output == "json" {
		_ = json.NewEncoder(a.out).Encode(simDocument{
			Seed: r.Config.Seed, Held: r.OK(), Virtual: messages.Duration(r.Virtual), Jobs: sum.Jobs, Containers: sum.Starts, Moves: sum.Moves,
			NodesAway: sum.NodesAway, PlacersAway: sum.PlacersAway, BusAway: sum.BusAway,
		})
		return
	}
	_, _ = fmt.Fprintf(a.out, "seed %d: %s; %s, %d jobs, %d containers, %d moves, nodes away %d times, placers %d, the bus %d\n",
		r.Config.Seed, held, r.Virtual.Round(time.Second), sum.Jobs, sum.Starts, sum.Moves, sum.NodesAway, sum.PlacersAway, sum.BusAway)
}
