package worker

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func TestBundle(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	entry := func(stream runtime.Stream, seconds int, text string) runtime.LogEntry {
		return runtime.LogEntry{Stream: stream, At: noon.Add(time.Duration(seconds) * time.Second), Message: []byte(text)}
	}
	long := strings.Repeat("x", messages.MaxFrameSize)
	const at, later = "2026-01-02T12:00:00Z", "2026-01-02T12:00:01Z"
	for name, c := range map[string]struct {
		entries []runtime.LogEntry
		data    string
		headers bus.Header
		refuses runtime.LogEntry
	}{
		"one line": {
			[]runtime.LogEntry{entry(runtime.Stdout, 0, "a\n")}, "a\n",
			bus.Header{messages.HeaderAt: at}, entry(runtime.Stderr, 0, "b\n"),
		},
		"lines of one instant": {
			[]runtime.LogEntry{entry(runtime.Stdout, 0, "a\n"), entry(runtime.Stdout, 0, "b\n")}, "a\nb\n",
			bus.Header{messages.HeaderAt: at}, entry(runtime.Stdout, 0, long[4-1:]),
		},
		"lines of several": {
			[]runtime.LogEntry{entry(runtime.Stdout, 0, "a\n"), entry(runtime.Stdout, 1, "b\n"), entry(runtime.Stdout, 1, "cc\n")}, "a\nb\ncc\n",
			bus.Header{messages.HeaderAt: at, messages.HeaderUntil: later, messages.HeaderUntilBytes: "5"}, entry(runtime.Stdout, 1, long),
		},
		"a line that fits nowhere": {
			[]runtime.LogEntry{entry(runtime.Stdout, 0, long+"\n")}, long + "\n",
			bus.Header{messages.HeaderAt: at}, entry(runtime.Stdout, 0, "b\n"),
		},
	} {
		var b bundle
		for _, e := range c.entries {
			if !b.takes(&e) {
				t.Errorf("%s: %.10q is not taken", name, e.Message)
			}
			b.add(&e)
		}
		if string(b.data) != c.data || !maps.Equal(b.headers(), c.headers) {
			t.Errorf("%s: %.20q, %v; want %.20q, %v", name, b.data, b.headers(), c.data, c.headers)
		}
		if b.takes(&c.refuses) {
			t.Errorf("%s: %.10q is taken as well", name, c.refuses.Message)
		}
	}
}

// A worker that stops reads nothing more, and the answer ends all the same.
func TestBundlesEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := new(frames).bundles(ctx, make(chan logged), true); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}
