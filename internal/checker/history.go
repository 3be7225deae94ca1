package checker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
)

// mostLine is how long a line of a history may be: a record, and room.
const mostLine = 4 << 20

// Read reads a history. It is an error when a line is no event; the line is
// named.
func Read(r io.Reader) ([]Event, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, mostLine)
	var history []Event
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("history: line %d: %w", n, err)
		}
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("history: line %d: %w", n, err)
		}
		history = append(history, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return history, nil
}

// check names what an event lacks.
func (e *Event) check() error {
	lacks := func(field string) error { return fmt.Errorf("kind %q: %s is missing", e.Kind, field) }
	switch {
	case !kinds[e.Kind]:
		return fmt.Errorf("kind: %q is not one of this checker's", e.Kind)
	case e.At.IsZero():
		return lacks("at")
	}
	switch e.Kind {
	case Submitted:
		if e.Body == nil {
			return lacks("body")
		}
	case OutcomeSaid:
		if e.Outcome == nil {
			return lacks("outcome")
		}
	case LastWord:
		if e.Record == nil {
			return lacks("record")
		}
	case Started, Ended, Exec:
		if e.Container == "" {
			return lacks("container")
		}
	}
	needsJob := []Kind{Submitted, Acknowledged, CancelAsked, RetryAsked, StopAsked, Started, Exec}
	if slices.Contains(needsJob, e.Kind) && e.Job == "" {
		return lacks("job")
	}
	needsNode := []Kind{Started, Ended, Exec, NodeAway, NodeBack, PlacerAway, PlacerBack, DrainAsked, UndrainAsked}
	if slices.Contains(needsNode, e.Kind) && e.Node == "" {
		return lacks("node")
	}
	return nil
}

// Recorder collects a history, and writes it out as it grows, so that it is
// there even when the run is not brought to its end. Its methods are safe for
// concurrent use.
type Recorder struct {
	mu     sync.Mutex
	events []Event
	out    *json.Encoder
	err    error
}

// NewRecorder writes to w as well; nil: it only collects.
func NewRecorder(w io.Writer) *Recorder {
	r := &Recorder{}
	if w != nil {
		r.out = json.NewEncoder(w)
	}
	return r
}

// Add adds an event, as it is.
func (r *Recorder) Add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if r.out != nil && r.err == nil {
		r.err = r.out.Encode(e)
	}
}

// History is what was collected so far, and the first error in writing it.
func (r *Recorder) History() ([]Event, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events), r.err
}
