package compose_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// beats is what is heard of the fleet as it happens: heartbeats, and that jobs
// have ended. It shows progress; it is no part of the history.
type beats struct {
	mu    sync.Mutex
	last  map[string]time.Time // of each node and placer
	ended int                  // last words heard
}

func listen(t *testing.T, nc *nats.Conn) *beats {
	t.Helper()
	b := &beats{last: map[string]time.Time{}}
	subscribe := func(subject string, heard func(*nats.Msg)) {
		if _, err := nc.Subscribe(subject, func(m *nats.Msg) {
			b.mu.Lock()
			defer b.mu.Unlock()
			heard(m)
		}); err != nil {
			t.Fatal(err)
		}
	}
	subscribe(root.Capabilities("*"), func(m *nats.Msg) { b.last[root.Token(m.Subject, 1)] = time.Now() })
	subscribe(root.Placers("*"), func(m *nats.Msg) { b.last[root.Token(m.Subject, 1)] = time.Now() })
	subscribe(root.Done("*"), func(*nats.Msg) { b.ended++ })
	return b
}

func (b *beats) since(node string, t time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last[node].After(t)
}

func (b *beats) words() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

// awaitState waits until the placers say that of the nodes.
func (f *fleet) awaitState(state messages.NodeState, nodes ...string) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("%s are %s", strings.Join(nodes, ", "), state), func() (bool, string) {
		var said []string
		for n, err := range f.client.Nodes(f.within(5*time.Second), messages.NodesRequest{}) {
			if err != nil {
				return false, err.Error()
			}
			said = append(said, n.Node+" "+string(n.State))
		}
		for _, node := range nodes {
			if !slices.Contains(said, node+" "+string(state)) {
				return false, strings.Join(said, ", ")
			}
		}
		return true, ""
	})
}

// readStream puts everything a stream holds into the history.
func (f *fleet) readStream(name string, event func(*jetstream.RawStreamMsg) (checker.Event, error)) error {
	ctx := f.within(patience)
	stream, err := f.js.Stream(ctx, name)
	if err != nil {
		return err
	}
	state := stream.CachedInfo().State
	for next := state.FirstSeq; next <= state.LastSeq; next++ {
		m, err := stream.GetMsg(ctx, next)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // another one of its subject has taken its place
		}
		if err != nil {
			return fmt.Errorf("%s, sequence %d: %w", name, next, err)
		}
		e, err := event(m)
		if err != nil {
			return fmt.Errorf("%s, sequence %d: %w", name, next, err)
		}
		f.history.Add(e)
	}
	return nil
}

// readStreams reads the outcomes and the last words, and what the Windows-shaped
// nodes say that they did.
func (f *fleet) readStreams() error {
	err := f.readStream(root.Stream(messages.StreamOutcomes), func(m *jetstream.RawStreamMsg) (checker.Event, error) {
		var o messages.Outcome
		err := json.Unmarshal(m.Data, &o)
		if slices.Contains(windows, o.Node) && o.Result != nil && o.Result.ExitCode != nil && !o.Result.StartedAt.IsZero() {
			of := checker.Event{Job: o.Job, Attempt: o.Attempt, Node: o.Node, Container: fmt.Sprintf("%s/%d", o.Job, o.Attempt)}
			begin, end := of, of
			begin.Kind, begin.At = checker.Started, o.Result.StartedAt
			end.Kind, end.At, end.ExitCode = checker.Ended, o.Result.FinishedAt, o.Result.ExitCode
			f.history.Add(begin)
			f.history.Add(end)
		}
		return checker.Event{At: m.Time, Kind: checker.OutcomeSaid, Outcome: &o, Sequence: m.Sequence}, err
	})
	return errors.Join(err, f.readStream(root.Stream(messages.StreamDone), func(m *jetstream.RawStreamMsg) (checker.Event, error) {
		var r messages.Record
		err := json.Unmarshal(m.Data, &r)
		return checker.Event{At: m.Time, Kind: checker.LastWord, Record: &r, Sequence: m.Sequence}, err
	}))
}

// readWitness puts what a machine's own witness wrote into the history, and the
// end of what ran when the machine lost its power, which nobody there could see.
func (f *fleet) readWitness(machine string) error {
	out, err := f.docker.try("logs", f.hosts[machine]) // standard output alone
	if err != nil {
		return err
	}
	said, err := checker.Read(bufio.NewReader(bytes.NewReader([]byte(out))))
	if err != nil {
		return fmt.Errorf("the witness on %s: %w", machine, err)
	}
	for _, e := range said {
		f.history.Add(e)
	}
	for _, b := range f.boots[machine] {
		for _, begin := range open(said, b.on) {
			at := b.off
			if begin.At.After(at) {
				at = begin.At
			}
			f.history.Add(checker.Event{
				At: at, Kind: checker.Ended, Node: machine, Container: begin.Container, Cause: checker.CauseHarness,
			})
		}
		said = slices.DeleteFunc(said, func(e checker.Event) bool { return e.At.Before(b.on) })
	}
	return nil
}

// open are the starts before an instant without an end before it.
func open(said []checker.Event, until time.Time) map[string]checker.Event {
	running := map[string]checker.Event{}
	for _, e := range said {
		switch {
		case !e.At.Before(until):
		case e.Kind == checker.Started:
			running[e.Container] = e
		case e.Kind == checker.Ended:
			delete(running, e.Container)
		}
	}
	return running
}

// readPretenders puts what runs on the Windows-shaped nodes into the history.
func (f *fleet) readPretenders(node string) error {
	request, err := messages.Encode(messages.ListRequest{V: messages.Version})
	if err != nil {
		return err
	}
	m, err := f.nc.RequestWithContext(f.within(patience), root.NodeVerb(node, messages.VerbList), request)
	if err != nil {
		return fmt.Errorf("list the containers of %s: %w", node, err)
	}
	var reply messages.ListReply
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		return err
	}
	for _, c := range reply.Containers {
		if c.Job != "" && c.State == "running" {
			f.history.Add(checker.Event{
				At: c.Created, Kind: checker.Started, Node: node, Job: c.Job, Attempt: c.Attempt,
				Container: fmt.Sprintf("%s/%d", c.Job, c.Attempt),
			})
		}
	}
	return nil
}
