package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) demoCommand() *cobra.Command {
	var level string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "the story, told by a real fleet: a refusal, a reroute, a container",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := process.Logger(a.err, level)
			if err != nil {
				return err
			}
			dir, err := os.MkdirTemp("", "shunt-demo-")
			if err != nil {
				return err
			}
			defer func() { _ = os.RemoveAll(dir) }()
			f, err := newFleet(cmd.Context(), dir, "127.0.0.1:0", log)
			if err != nil {
				return err
			}
			defer f.shutdown()
			ctx, cancel := context.WithTimeout(cmd.Context(), demoWithin)
			defer cancel()
			return (&story{app: a, fleet: f}).tell(ctx)
		},
	}
	cmd.Flags().StringVar(&level, "log-level", "error", "least `LEVEL` that is logged: debug, info, warn, error")
	return cmd
}

// demoWithin bounds the demo; it takes a few seconds.
const demoWithin = 3 * time.Minute

// story is the demo, told.
type story struct {
	*app
	fleet  *fleet
	client *client.Client
	image  string
}

// tell runs the demo. Nothing in it is acted: every line is what the fleet
// answered.
func (s *story) tell(ctx context.Context) error {
	if s.fleet.real == "" {
		s.say("shunt demo: real containers, run by a containerd of the demo's own")
	} else {
		s.say("shunt demo: containers are only pretended (the memory runtime), because %s", s.fleet.real)
	}
	for _, scene := range []func(context.Context) error{s.curtain, s.refusal, s.waiting} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	s.say("")
	s.say("That was it. `shunt dev` keeps such a fleet running, to try things with.")
	return nil
}

// curtain starts the fleet and shows it.
func (s *story) curtain(ctx context.Context) error {
	s.chapter("A fleet whose machines are not alike")
	if err := s.fleet.windowsWorker(ctx, "win-1"); err != nil {
		return err
	}
	if err := s.fleet.linuxWorker(ctx, "linux-1", map[string]string{"disk": "hdd"}); err != nil {
		return err
	}
	var err error
	s.image, err = s.fleet.pushHello(ctx, "sh", "-c", "echo Hello from a Linux container.; echo A Windows node sent me here.")
	if err != nil {
		return err
	}
	cfg := s.cfg
	cfg.URL, cfg.Name = s.fleet.placer.URL, "shunt demo"
	if s.client, err = client.Connect(ctx, cfg); err != nil {
		return err
	}
	nodes, err := s.awaitNodes(ctx, 2)
	if err != nil {
		return err
	}
	return showNodes(s.out, nodes)
}

// refusal gives a Linux job to the Windows-shaped node.
func (s *story) refusal(ctx context.Context) error {
	s.chapter("A Linux job is given to the Windows-shaped node")
	job := messages.Job{ID: "hello-1", Op: messages.OpRun, Spec: &messages.Spec{Image: s.image}}
	s.say("$ shunt submit %s --id %s --node win-1", s.image, job.ID)
	if err := s.send(ctx, job); err != nil {
		return err
	}
	return s.ending(ctx, job.ID)
}

// waiting gives it a job that no node can take, until one joins that can.
func (s *story) waiting(ctx context.Context) error {
	s.chapter("A job that no node can take waits, and says why")
	job := messages.Job{
		ID: "hello-2", Op: messages.OpRun, Spec: &messages.Spec{Image: s.image},
		Requires: messages.Requires{Labels: map[string]string{"disk": "ssd"}},
	}
	s.say("$ shunt submit %s --id %s --node win-1 --require disk=ssd", s.image, job.ID)
	if err := s.send(ctx, job); err != nil {
		return err
	}
	rec, err := s.awaitRecord(ctx, job.ID, func(r *messages.Record) bool {
		return r.State == messages.StatePending && r.Reason != ""
	})
	if err != nil {
		return err
	}
	s.say("%s is %s: %s", job.ID, rec.State, rec.Reason)
	s.chapter("A node that can joins the fleet: linux-2, with disk=ssd")
	if err := s.fleet.linuxWorker(ctx, "linux-2", map[string]string{"disk": "ssd"}); err != nil {
		return err
	}
	return s.ending(ctx, job.ID)
}

// send gives a job to win-1 and shows the answer.
func (s *story) send(ctx context.Context, job messages.Job) error {
	o, err := s.client.Command(ctx, "win-1", job, 0)
	if err != nil {
		return err
	}
	if o.Route == nil {
		return fmt.Errorf("win-1 was to refuse the job, and answered %s: %w", o.Status, errJobFailed)
	}
	s.say("win-1 refuses it (%s): %s", o.Route.Code, o.Route.Reason)
	return nil
}

// ending waits for a job's end and shows where it ran, why there, and what the
// container said.
func (s *story) ending(ctx context.Context, id string) error {
	rec, err := s.client.Wait(ctx, id)
	if err != nil {
		return err
	}
	reply, err := s.client.Explain(ctx, messages.ExplainRequest{ID: id})
	if err != nil {
		return err
	}
	s.say("The placer chose %s:", rec.Node)
	if err := s.showVerdicts(&reply); err != nil {
		return err
	}
	s.say("")
	s.say("$ shunt logs %s", id)
	if err := s.client.Node(rec.Node).CopyLogs(ctx, messages.LogsRequest{Job: id}, s.out, s.err); err != nil {
		return err
	}
	s.say("")
	s.say("$ shunt get %s", id)
	if err := s.showRecord(&rec); err != nil {
		return err
	}
	if rec.State != messages.StateCompleted {
		return errJobFailed
	}
	return nil
}

// awaitNodes waits until the placer has heard so many nodes.
func (s *story) awaitNodes(ctx context.Context, n int) ([]messages.NodeInfo, error) {
	for {
		var nodes []messages.NodeInfo
		for node, err := range s.client.Nodes(ctx, messages.NodesRequest{}) {
			if err != nil {
				return nil, err
			}
			nodes = append(nodes, node)
		}
		if len(nodes) >= n {
			return nodes, nil
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("%d of %d nodes have been heard: %w", len(nodes), n, err)
		}
	}
}

// awaitRecord waits until a job's record is as wanted.
func (s *story) awaitRecord(ctx context.Context, id string, want func(*messages.Record) bool) (messages.Record, error) {
	for {
		rec, err := s.client.Job(ctx, id)
		if err == nil && want(&rec) {
			return rec, nil
		}
		if e := pause(ctx); e != nil {
			return rec, fmt.Errorf("job %s is %s: %w", id, rec.State, errors.Join(e, err))
		}
	}
}

// pause is the time between two looks.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}

func (s *story) chapter(title string) {
	s.say("")
	s.say("%s", title)
	s.say("%s", strings.Repeat("-", len(title)))
}
