package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"

	apievents "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/typeurl/v2"

	"github.com/shunt-fleet/shunt/internal/checker"
)

const (
	// sockets is where a worker's managed containerd listens.
	sockets = "/run/shunt/*/containerd.sock"
	// retry is the pause between looks for it. It is short, so that the witness
	// hears containerd before the worker has given it anything to do.
	retry = 5 * time.Millisecond
)

// The labels by which shunt knows its containers again.
const (
	labelJob     = "dev.shunt/job"
	labelAttempt = "dev.shunt/attempt"
)

// witness writes down which containers really ran on this machine.
type witness struct {
	node string
	log  *slog.Logger
	out  io.Writer

	// By namespace and id.
	known   map[string]containers.Container
	running map[string]program
	early   map[string]*apievents.TaskExit // heard before their starts
}

// program is one start of a container's program.
type program struct {
	container string // what the history calls it
	at        time.Time
}

// run watches one containerd after the other, until ctx ends.
func (w *witness) run(ctx context.Context) {
	for ctx.Err() == nil {
		if found, _ := filepath.Glob(sockets); len(found) > 0 {
			if err := w.watch(ctx, found[0]); err != nil {
				w.log.Debug("containerd is not heard", "error", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
}

// watch hears one containerd until it goes away.
func (w *witness) watch(ctx context.Context, socket string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := client.New(socket)
	if err != nil {
		return err
	}
	defer c.Close()
	w.known, w.running, w.early = map[string]containers.Container{}, map[string]program{}, map[string]*apievents.TaskExit{}
	heard, failed := c.EventService().Subscribe(ctx,
		`topic=="/containers/create"`, `topic=="/tasks/start"`, `topic=="/tasks/exit"`, `topic=="/containers/delete"`)
	if err := w.takeUp(ctx, c); err != nil {
		return err
	}
	for {
		select {
		case e := <-heard:
			if err := w.hear(ctx, c, e); err != nil {
				w.log.Error("an event of containerd is not understood", "topic", e.Topic, "error", err)
			}
		case err := <-failed:
			return err
		}
	}
}

// takeUp writes down what ran before the witness began to hear.
func (w *witness) takeUp(ctx context.Context, c *client.Client) error {
	spaces, err := c.NamespaceService().List(ctx)
	if err != nil {
		return err
	}
	for _, space := range spaces {
		ctx := namespaces.WithNamespace(ctx, space)
		list, err := c.Containers(ctx)
		if err != nil {
			return err
		}
		for _, held := range list {
			task, err := held.Task(ctx, nil)
			if err != nil {
				continue // it does not run
			}
			if status, err := task.Status(ctx); err == nil && status.Status == client.Running {
				if err := w.started(ctx, c, &apievents.TaskStart{ContainerID: held.ID(), Pid: task.Pid()}, space, time.Now()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *witness) hear(ctx context.Context, c *client.Client, e *events.Envelope) error {
	event, err := typeurl.UnmarshalAny(e.Event)
	if err != nil {
		return err
	}
	switch event := event.(type) {
	case *apievents.ContainerCreate:
		_, err = w.look(ctx, c, e.Namespace, event.ID)
	case *apievents.TaskStart:
		err = w.started(ctx, c, event, e.Namespace, e.Timestamp)
	case *apievents.TaskExit:
		if event.ID == event.ContainerID { // not that of an exec
			err = w.ended(e.Namespace, event)
		}
	case *apievents.ContainerDelete:
		err = w.deleted(e.Namespace, event.ID, e.Timestamp)
	}
	return err
}

// look asks what a container is, as soon as it is there: one that runs for a
// moment is removed by the time its start is heard.
func (w *witness) look(ctx context.Context, c *client.Client, space, id string) (containers.Container, error) {
	record, err := c.ContainerService().Get(namespaces.WithNamespace(ctx, space), id)
	if err != nil {
		return record, fmt.Errorf("container %s: %w", id, err)
	}
	w.known[space+"/"+id] = record
	return record, nil
}

func (w *witness) started(ctx context.Context, c *client.Client, event *apievents.TaskStart, space string, at time.Time) error {
	id := event.ContainerID
	key := space + "/" + id
	if w.running[key].container != "" {
		return nil // it was taken up already
	}
	record, ok := w.known[key]
	if !ok {
		var err error
		if record, err = w.look(ctx, c, space, id); err != nil {
			return err
		}
	}
	attempt, err := strconv.ParseUint(record.Labels[labelAttempt], 10, 64)
	if err != nil {
		return fmt.Errorf("container %s: label %s: %w", id, labelAttempt, err)
	}
	// The same id comes back with the next attempt; the time tells them apart.
	name := id + "@" + record.CreatedAt.UTC().Format(time.RFC3339Nano)
	w.running[key] = program{container: name, at: at}
	err = w.write(checker.Event{
		At: at, Kind: checker.Started, Node: w.node, Container: name, Job: record.Labels[labelJob], Attempt: attempt,
	})
	if exit := w.early[key]; err == nil && exit != nil && exit.Pid == event.Pid {
		err = w.ended(space, exit)
	}
	delete(w.early, key)
	return err
}

// ended writes the end of a program. The shim tells of it and containerd of the
// start, so that of one that ran for a moment the end may be heard first, and
// may be the earlier one.
func (w *witness) ended(space string, event *apievents.TaskExit) error {
	key := space + "/" + event.ContainerID
	run, ok := w.running[key]
	if !ok {
		w.early[key] = event
		return nil
	}
	delete(w.running, key)
	at := event.ExitedAt.AsTime()
	if at.Before(run.at) {
		at = run.at
	}
	code := int(event.ExitStatus)
	return w.write(checker.Event{At: at, Kind: checker.Ended, Node: w.node, Container: run.container, ExitCode: &code})
}

// deleted writes the end of a program that nobody has told of: a shim tries for
// a while to hand its events over, on a machine that is overloaded in vain, and
// is gone with its container. Its events may also come late, so what is known
// of the container stays.
func (w *witness) deleted(space, id string, at time.Time) error {
	key := space + "/" + id
	run, running := w.running[key]
	if !running {
		return nil
	}
	delete(w.running, key)
	return w.write(checker.Event{At: at, Kind: checker.Ended, Node: w.node, Container: run.container})
}

func (w *witness) write(e checker.Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = w.out.Write(append(line, '\n'))
	return err
}
