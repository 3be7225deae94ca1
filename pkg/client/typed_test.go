package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// typedOps is every typed call there is for an op.
var typedOps = map[messages.Op]func(context.Context, *client.Client) error{
	messages.OpRun: func(ctx context.Context, c *client.Client) error {
		_, err := c.Run(ctx, messages.Job{ID: "j", Op: messages.OpRun, Spec: &messages.Spec{Image: "x"}})
		return err
	},
	messages.OpCreate: func(ctx context.Context, c *client.Client) error {
		_, err := c.Create(ctx, messages.Job{Spec: &messages.Spec{Image: "x"}})
		return err
	},
	messages.OpStart:   func(ctx context.Context, c *client.Client) error { return second(c.Start(ctx, "a")) },
	messages.OpStop:    func(ctx context.Context, c *client.Client) error { return second(c.Stop(ctx, "a", time.Second)) },
	messages.OpRestart: func(ctx context.Context, c *client.Client) error { return second(c.Restart(ctx, "a", 0)) },
	messages.OpKill:    func(ctx context.Context, c *client.Client) error { return second(c.Kill(ctx, "a", "TERM")) },
	messages.OpRemove:  func(ctx context.Context, c *client.Client) error { return second(c.Remove(ctx, "a", true, true)) },
	messages.OpRename:  func(ctx context.Context, c *client.Client) error { return second(c.Rename(ctx, "a", "b")) },
	messages.OpExec: func(ctx context.Context, c *client.Client) error {
		return second(c.Exec(ctx, "a", messages.Args{Cmd: []string{"true"}}))
	},
	messages.OpSyncVolumes: func(ctx context.Context, c *client.Client) error {
		return second(c.SyncVolumes(ctx, "a", "registry.example/team/data:1"))
	},
	messages.OpPull: func(ctx context.Context, c *client.Client) error {
		return second(c.Pull(ctx, "n", "x", messages.Args{Policy: messages.PullAlways}))
	},
	messages.OpTag:         func(ctx context.Context, c *client.Client) error { return second(c.Tag(ctx, "n", "x", "y")) },
	messages.OpRemoveImage: func(ctx context.Context, c *client.Client) error { return second(c.RemoveImage(ctx, "n", "x", true)) },
	messages.OpPrune:       func(ctx context.Context, c *client.Client) error { return second(c.Prune(ctx, "n")) },
}

func second[T any](_ T, err error) error { return err }

// none reads a sequence until its first value or error.
func none[T any](seq func(func(T, error) bool)) error {
	for _, err := range seq {
		return err
	}
	return nil
}

var typedWorkerVerbs = map[messages.WorkerVerb]func(context.Context, *client.Node) error{
	messages.VerbList:    func(ctx context.Context, n *client.Node) error { return none(n.List(ctx, true)) },
	messages.VerbInspect: func(ctx context.Context, n *client.Node) error { return second(n.Inspect(ctx, "a")) },
	messages.VerbState:   func(ctx context.Context, n *client.Node) error { return second(n.State(ctx, "a")) },
	messages.VerbStats:   func(ctx context.Context, n *client.Node) error { return second(n.Stats(ctx, "a")) },
	messages.VerbImages:  func(ctx context.Context, n *client.Node) error { return none(n.Images(ctx)) },
	messages.VerbLogs: func(ctx context.Context, n *client.Node) error {
		return none(n.Logs(ctx, messages.LogsRequest{Container: "a"}))
	},
	messages.VerbExec: func(ctx context.Context, n *client.Node) error {
		x, err := n.Exec(ctx, messages.ExecRequest{Container: "a", Cmd: []string{"true"}}, client.Streams{})
		if err != nil {
			return err
		}
		return second(x.Wait())
	},
	messages.VerbWait: func(ctx context.Context, n *client.Node) error {
		return second(n.Wait(ctx, messages.WaitRequest{Container: "a"}))
	},
	messages.VerbEvents:  func(ctx context.Context, n *client.Node) error { return none(n.Events(ctx)) },
	messages.VerbPeers:   func(ctx context.Context, n *client.Node) error { return none(n.Peers(ctx)) },
	messages.VerbInfo:    func(ctx context.Context, n *client.Node) error { return second(n.Info(ctx)) },
	messages.VerbAttempt: func(ctx context.Context, n *client.Node) error { return second(n.Attempt(ctx, "j", 0)) },
	messages.VerbDrain:   func(ctx context.Context, n *client.Node) error { return second(n.Drain(ctx, time.Second)) },
	messages.VerbUndrain: func(ctx context.Context, n *client.Node) error { return second(n.Undrain(ctx)) },
}

var typedPlacerVerbs = map[messages.PlacerVerb]func(context.Context, *client.Client) error{
	messages.PlacerJobs:   func(ctx context.Context, c *client.Client) error { return none(c.Jobs(ctx, messages.JobsRequest{})) },
	messages.PlacerJob:    func(ctx context.Context, c *client.Client) error { return second(c.Job(ctx, "j")) },
	messages.PlacerRetry:  func(ctx context.Context, c *client.Client) error { return second(c.Retry(ctx, "j", "")) },
	messages.PlacerCancel: func(ctx context.Context, c *client.Client) error { return second(c.Cancel(ctx, "j", "")) },
	messages.PlacerExplain: func(ctx context.Context, c *client.Client) error {
		return second(c.Explain(ctx, messages.ExplainRequest{ID: "j"}))
	},
	messages.PlacerNodes: func(ctx context.Context, c *client.Client) error {
		return none(c.Nodes(ctx, messages.NodesRequest{}))
	},
	messages.PlacerDrain: func(ctx context.Context, c *client.Client) error {
		return second(c.Drain(ctx, messages.DrainRequest{Node: "n"}))
	},
	messages.PlacerUndrain: func(ctx context.Context, c *client.Client) error { return second(c.Undrain(ctx, "n")) },
	messages.PlacerForget:  func(ctx context.Context, c *client.Client) error { return second(c.Forget(ctx, "n")) },
	messages.PlacerInfo:    func(ctx context.Context, c *client.Client) error { return second(c.Info(ctx)) },
}

// TestEachOpAndVerbHasATypedCall makes every call there is and sees that what it
// asks is well-formed and goes where the contract says. The lists of ops and verbs
// are the contract's own, so one without a call fails here.
func TestEachOpAndVerbHasATypedCall(t *testing.T) {
	ear := newEar(t)
	for _, op := range messages.Ops() {
		call, ok := typedOps[op]
		if op == messages.OpRevoke {
			continue // for placers only
		}
		if !ok {
			t.Errorf("the op %s has no typed call", op)
			continue
		}
		ear.hears(root.Job(messages.Any), string(op), func(ctx context.Context) error { return call(ctx, ear.client) })
	}
	for _, verb := range messages.WorkerVerbs() {
		call, ok := typedWorkerVerbs[verb]
		if !ok {
			t.Errorf("the workers' verb %s has no typed call", verb)
			continue
		}
		ear.hears(root.NodeVerb("n", verb), "", func(ctx context.Context) error { return call(ctx, ear.client.Node("n")) })
	}
	for _, verb := range messages.PlacerVerbs() {
		call, ok := typedPlacerVerbs[verb]
		if !ok {
			t.Errorf("the placers' verb %s has no typed call", verb)
			continue
		}
		ear.hears(root.PlacerVerb(verb), "", func(ctx context.Context) error { return call(ctx, ear.client) })
	}
}

// ear hears what a client asks, and answers nothing.
type ear struct {
	t      *testing.T
	nc     *nats.Conn
	client *client.Client
}

func newEar(t *testing.T) *ear {
	t.Helper()
	f, c := started(t)
	f.placer.Stop(ended()) // it would answer
	nc, err := nats.Connect(f.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return &ear{t: t, nc: nc, client: c}
}

// hears makes a call and waits for its message, which must be a valid one.
func (e *ear) hears(subject, op string, call func(context.Context) error) {
	e.t.Helper()
	heard := make(chan *nats.Msg, 10)
	sub, err := e.nc.ChanSubscribe(subject, heard)
	if err == nil {
		err = e.nc.Flush()
	}
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	ctx, cancel := context.WithCancel(e.t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- call(ctx) }()
	select {
	case m := <-heard:
		e.valid(m, op)
	case err := <-ended:
		e.t.Errorf("%s: the call ended with %v before it said anything", subject, err)
		return
	case <-time.After(patience):
		e.t.Fatalf("%s: nothing was said", subject)
	}
	cancel()
	<-ended
}

// valid checks the message as whoever it is for would.
func (e *ear) valid(m *nats.Msg, op string) {
	e.t.Helper()
	tokens := strings.Split(m.Subject, ".")
	for _, d := range messages.All() {
		if !slices.ContainsFunc(d.Routes, func(r messages.Route) bool { return asks(r) && follows(r.Subject, tokens) }) {
			continue
		}
		if _, err := d.Decode(m.Data); err != nil {
			e.t.Errorf("%s: %s is not valid: %v", m.Subject, m.Data, err)
		}
		var head struct{ Op string }
		if err := json.Unmarshal(m.Data, &head); err != nil || head.Op != op {
			e.t.Errorf("%s: the op is %q (%v), want %q", m.Subject, head.Op, err, op)
		}
		return
	}
	e.t.Errorf("%s is no subject of the contract", m.Subject)
}

func asks(r messages.Route) bool {
	return r.Part == messages.PartRequest || r.Part == messages.PartStream
}

// follows tells whether a subject is one of a pattern's, "<root>.job.<job>".
func follows(pattern string, tokens []string) bool {
	want := strings.Split(pattern, ".")
	return len(want) == len(tokens) && !slices.ContainsFunc(want, func(w string) bool {
		return !strings.HasPrefix(w, "<") && w != tokens[slices.Index(want, w)]
	})
}

// TestAnOpThatFailsSaysHow: what the node said is in the error.
func TestAnOpThatFailsSaysHow(t *testing.T) {
	_, c := started(t)
	_, err := c.Start(t.Context(), "nothing-rep-0", client.Directly("linux-1"))
	op, ok := errors.AsType[*client.OpError](err)
	if !ok || op.Op != messages.OpStart || op.Node != "linux-1" || op.State != "failed" {
		t.Fatalf("the error is %#v", err)
	}
	if e, ok := errors.AsType[*messages.Error](err); !ok || e.Code != messages.CodeNotFound {
		t.Errorf("behind it is %v", op.Err)
	}
	if _, err := c.Pull(t.Context(), "linux-1", "team/hello:1", messages.Args{}); err != nil {
		t.Errorf("a pull through intake: %v", err)
	}
	if err := c.SubmitMany(t.Context(), []messages.Job{{ID: "ok", Op: messages.OpRun, Spec: &messages.Spec{Image: "x"}}, {ID: "_", Op: messages.OpRun}}); err == nil || !strings.Contains(err.Error(), `job 2 of 2 ("_")`) {
		t.Errorf("many jobs, one of them bad: %v", err)
	}
}
