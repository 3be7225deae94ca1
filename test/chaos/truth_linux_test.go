package chaos_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	apievents "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/typeurl/v2"

	"github.com/shunt-fleet/shunt/internal/checker"
)

// truth is what containerd says of the containers in the workers' namespaces,
// from its own events. Which job and attempt a container is of is in its labels.
//
// A shim that is shut down may take the last events of its task with it, so the
// end of a program is also known from its task's or its container's removal. A
// removal alone does not say how the program ended, and is believed only when
// its process is gone.
type truth struct {
	mu     sync.Mutex
	events []*events.Envelope
	err    error
}

// namespacePrefix makes a node's namespace of its name.
const namespacePrefix = "shunt-chaos-"

// watch listens to containerd until the test ends.
func watch(t *testing.T, address string) *truth {
	t.Helper()
	conn, err := client.New(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	envelopes, errs := conn.Subscribe(ctx)
	w := &truth{}
	go func() {
		for {
			select {
			case e := <-envelopes:
				w.mu.Lock()
				w.events = append(w.events, e)
				w.mu.Unlock()
			case err := <-errs:
				w.mu.Lock()
				w.err = err
				w.mu.Unlock()
				return
			}
		}
	}()
	return w
}

// body is one container of containerd's, from its making to its removal: an id
// may be used again.
type body struct {
	name    string // tells it from the others of its id
	job     string
	attempt uint64
	node    string
	lives   []life // one for every start of its program
	execs   []time.Time
}

// life is one start of a program, and its end if it has ended.
type life struct {
	start, end time.Time
	code       *int // nil: containerd has not said
	pid        uint32
}

// ends notes the end of the program that runs, if one does.
func (b *body) ends(at time.Time, code *int) {
	if b.runs() {
		b.lives[len(b.lives)-1].end, b.lives[len(b.lives)-1].code = at, code
	}
}

// removed notes that the container was taken away, which is the end of its
// program unless the process is still in the container's cgroup.
func (b *body) removed(id string, at time.Time) {
	if !b.runs() {
		return
	}
	group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", b.lives[len(b.lives)-1].pid))
	if err != nil || !strings.Contains(string(group), id) {
		b.ends(at, nil)
	}
}

func (b *body) runs() bool { return len(b.lives) > 0 && b.lives[len(b.lives)-1].end.IsZero() }

// bodies reads the events so far.
func (w *truth) bodies() ([]*body, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return nil, fmt.Errorf("containerd's events ended: %w", w.err)
	}
	sorted := slices.Clone(w.events)
	slices.SortStableFunc(sorted, func(a, b *events.Envelope) int { return a.Timestamp.Compare(b.Timestamp) })
	var all []*body
	latest := map[string]*body{}
	for _, e := range sorted {
		node, ours := strings.CutPrefix(e.Namespace, namespacePrefix)
		if !ours {
			continue
		}
		said, err := typeurl.UnmarshalAny(e.Event)
		if err != nil {
			return nil, fmt.Errorf("event %s: %w", e.Topic, err)
		}
		if made, ok := said.(*apievents.ContainerCreate); ok {
			b := &body{name: fmt.Sprintf("%s#%d", made.ID, len(all)), node: node}
			latest[node+"/"+made.ID] = b
			all = append(all, b)
			continue
		}
		note(latest, node, said, e.Timestamp)
	}
	return all, nil
}

// note takes in what happened to a container.
func note(latest map[string]*body, node string, said any, at time.Time) {
	of := func(id string) *body {
		if b := latest[node+"/"+id]; b != nil {
			return b
		}
		return &body{}
	}
	switch said := said.(type) {
	case *apievents.ContainerUpdate: // written at every start, with all labels
		b := of(said.ID)
		b.job = said.Labels["dev.shunt/job"]
		b.attempt, _ = strconv.ParseUint(said.Labels["dev.shunt/attempt"], 10, 64)
	case *apievents.TaskStart:
		b := of(said.ContainerID)
		b.lives = append(b.lives, life{start: at, pid: said.Pid})
	case *apievents.TaskExecStarted:
		b := of(said.ContainerID)
		b.execs = append(b.execs, at)
	case *apievents.TaskExit:
		if said.ID != said.ContainerID {
			return // of an exec
		}
		code := int(said.ExitStatus)
		of(said.ContainerID).ends(at, &code)
	case *apievents.TaskDelete:
		if said.ID == "" || said.ID == said.ContainerID {
			code := int(said.ExitStatus)
			of(said.ContainerID).ends(at, &code)
		}
	case *apievents.ContainerDelete:
		of(said.ID).removed(said.ID, at)
	}
}

// history is what happened to containers, for the checker. An exec is the one
// job's that execOf names for the service it was carried out in.
func (w *truth) history(t *testing.T, execOf map[string]string) []checker.Event {
	t.Helper()
	bodies, err := w.bodies()
	if err != nil {
		t.Fatal(err)
	}
	var history []checker.Event
	unknown := 0
	for _, b := range bodies {
		if b.job == "" && len(b.lives) > 0 {
			t.Errorf("container %s on %s was started, and containerd named no job", b.name, b.node)
		}
		at := checker.Event{Job: b.job, Attempt: b.attempt, Node: b.node, Container: b.name}
		for _, when := range b.execs {
			exec := at
			exec.Kind, exec.At, exec.Job, exec.Attempt = checker.Exec, when, execOf[b.job], 0
			if exec.Job == "" {
				t.Errorf("an exec in the container of %s, which nobody asked for", b.job)
				continue
			}
			history = append(history, exec)
		}
		for _, l := range b.lives {
			start, end := at, at
			start.Kind, start.At = checker.Started, l.start
			history = append(history, start)
			if !l.end.IsZero() && l.code == nil {
				unknown++
			}
			if !l.end.IsZero() {
				end.Kind, end.At, end.ExitCode = checker.Ended, l.end, l.code
				history = append(history, end)
			}
		}
	}
	if unknown > 0 {
		t.Logf("of %d containers that ended, containerd did not say how", unknown)
	}
	return history
}

// running is the node on which a job's container runs, or "".
func (w *truth) running(job string) string {
	bodies, err := w.bodies()
	if err != nil {
		return ""
	}
	for _, b := range bodies {
		if b.job == job && b.runs() {
			return b.node
		}
	}
	return ""
}

// anyRuns names a container that runs, or "".
func (w *truth) anyRuns() string {
	bodies, err := w.bodies()
	if err != nil {
		return err.Error()
	}
	for _, b := range bodies {
		if b.runs() {
			return fmt.Sprintf("a container of %s/%d on %s", b.job, b.attempt, b.node)
		}
	}
	return ""
}
