package faults

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
)

// operation is something done to a lane's container. Its calls are found out by
// doing it once; they are not listed anywhere.
type operation struct {
	name   string
	before func(*lane)
	do     func(context.Context, *lane, *containerd.Runtime) error
	// removes says that it may leave a container that is half removed.
	removes bool
	// tidies says that it takes away itself what it has made, in its own time.
	tidies bool
}

// operations are a container's life, and what is asked of it meanwhile. After
// each the container is removed.
var operations = []operation{
	{name: "pull", before: pushed, do: pull},
	{name: "create", before: nothing, do: create},
	{name: "start", before: inNetwork, do: start},
	{name: "start again", before: endedInNetwork, do: start},
	{name: "inspect", before: running, do: inspect},
	{name: "list", before: running, do: list},
	{name: "stats", before: running, do: stats},
	{name: "exec", before: running, do: exec},
	{name: "logs", before: ended, do: logs},
	{name: "follow logs", before: running, do: followAndStop},
	{name: "wait", before: running, do: waitAndStop},
	{name: "stop", before: running, do: stop},
	{name: "kill", before: running, do: kill},
	{name: "remove", before: ended, do: remove, removes: true},
	{name: "remove with force", before: runningInNetwork, do: removeWithForce, removes: true},
	{name: "prune", before: ended, do: prune, removes: true},
}

func nothing(*lane) {}

// pushed puts an image into the registry that the runtime has not read yet.
func pushed(l *lane) { l.other = l.push("other") }

func inNetwork(l *lane) { l.make(messages.NetworkDefault, "handle-term") }

func (l *lane) make(network string, args ...string) {
	spec := l.spec(args...)
	spec.Network = network
	l.must(l.rt.Create(l.ctx, l.id, spec, runtime.CreateOptions{Owner: runtime.Owner{Job: "j", Attempt: 1}}))
}

func running(l *lane)          { l.run(messages.NetworkNone) }
func runningInNetwork(l *lane) { l.run(messages.NetworkDefault) }
func ended(l *lane)            { l.runToEnd(messages.NetworkNone) }
func endedInNetwork(l *lane)   { l.runToEnd(messages.NetworkDefault) }

// run makes a container that runs until it is told to end.
func (l *lane) run(network string) {
	l.make(network, "handle-term")
	l.must(l.rt.Start(l.ctx, l.id))
	for e, err := range l.rt.Logs(l.ctx, l.id, runtime.LogOptions{Tail: -1, Follow: true}) {
		l.must(err)
		if string(e.Message) == "ready\n" {
			return
		}
	}
}

func (l *lane) runToEnd(network string) {
	l.make(network, "echo", "ready")
	l.must(l.rt.Start(l.ctx, l.id))
	_, err := l.rt.WaitOutcome(l.ctx, l.id, messages.WaitNotRunning)
	l.must(err)
}

func pull(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	_, err := rt.Pull(ctx, l.other, runtime.PullOptions{})
	return err
}

func create(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	return rt.Create(ctx, l.id, l.spec("true"), runtime.CreateOptions{})
}

func start(ctx context.Context, l *lane, rt *containerd.Runtime) error { return rt.Start(ctx, l.id) }

func inspect(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	d, err := rt.Inspect(ctx, l.id)
	if err == nil && (d.State.Phase != runtime.PhaseRunning || d.PID == 0) {
		return fmt.Errorf("inspect: %s, pid %d", d.State.Phase, d.PID)
	}
	return err
}

func list(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	held, err := rt.List(ctx)
	if err == nil && (len(held) != 1 || held[0].State.Phase != runtime.PhaseRunning) {
		return fmt.Errorf("list: %+v", held)
	}
	return err
}

func stats(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	s, err := rt.Stats(ctx, l.id)
	if err == nil && s.PIDs == 0 {
		return fmt.Errorf("stats: %+v", s)
	}
	return err
}

func exec(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	r, err := rt.Exec(ctx, l.id, runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo out; exit 3"}})
	if err == nil && (r.ExitCode != 3 || string(r.Stdout) != "out\n") {
		return fmt.Errorf("exec: %+v", r)
	}
	return err
}

func logs(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	text, err := readLog(ctx, l, rt, false, func() {})
	return wants(err, text, "ready\n")
}

// followAndStop reads the log of a container that is stopped meanwhile.
func followAndStop(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	follow, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan error, 1)
	text, err := readLog(follow, l, rt, true, sync.OnceFunc(func() {
		go func() {
			err := stop(ctx, l, rt)
			if err != nil {
				cancel() // it would follow for ever
			}
			stopped <- err
		}()
	}))
	if text != "" {
		if stopErr := <-stopped; stopErr != nil {
			err = stopErr
		}
	}
	return wants(err, text, "ready\nterm\n")
}

// readLog is what the log says. entry is called at each of its entries.
func readLog(ctx context.Context, l *lane, rt *containerd.Runtime, follow bool, entry func()) (text string, err error) {
	for e, err := range rt.Logs(ctx, l.id, runtime.LogOptions{Tail: -1, Follow: follow}) {
		if err != nil {
			return text, err
		}
		text += string(e.Message)
		entry()
	}
	return text, nil
}

func wants(err error, got, want string) error {
	if err == nil && got != want {
		return fmt.Errorf("logs: %q, want %q", got, want)
	}
	return err
}

// waitAndStop is a wait that has begun when the container is stopped.
func waitAndStop(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	waited := make(chan error, 1)
	go func() {
		out, err := rt.WaitOutcome(ctx, l.id, messages.WaitNotRunning)
		lost := l.mayLose && out.ExitCode == containerd.UnknownExit && out.Reason == messages.ExitRuntimeError
		if err == nil && !lost && (out.ExitCode != 0 || out.Reason != messages.ExitExited) {
			err = fmt.Errorf("wait: %+v", out)
		}
		waited <- err
	}()
	if err := stop(ctx, l, rt); err != nil {
		cancel()
		<-waited
		return err
	}
	return <-waited
}

func stop(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	return rt.Stop(ctx, l.id, time.Minute)
}

func kill(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	err := rt.Kill(ctx, l.id, "KILL")
	if errdefs.IsFailedPrecondition(err) {
		return nil // by the time before
	}
	return err
}

func remove(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	return unlessGone(rt.Remove(ctx, l.id, runtime.RemoveOptions{}))
}

func removeWithForce(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	return unlessGone(rt.Remove(ctx, l.id, runtime.RemoveOptions{Force: true}))
}

func prune(ctx context.Context, l *lane, rt *containerd.Runtime) error {
	_, err := rt.PruneContainers(ctx)
	return err
}

// unlessGone: a removal whose answer was lost has removed.
func unlessGone(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
