//go:build linux || windows

package containerd

import (
	"context"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Whoever writes output does so at any time: before its program's end, after it,
// and after nobody wants it any more.
func TestOutputAfterTheEndOfASession(t *testing.T) {
	for name, end := range map[string]func(*session){
		"over":             func(s *session) { close(s.over) },
		"cancelled":        func(s *session) { s.cancel() },
		"cancelled, over":  func(s *session) { s.cancel(); close(s.over) },
		"over in between":  func(s *session) { go close(s.over) },
		"cancelled beside": func(s *session) { go s.cancel() },
	} {
		s := &session{events: make(chan runtime.ExecEvent), over: make(chan struct{})}
		s.ctx, s.cancel = context.WithCancel(t.Context())
		end(s)
		out := &eventWriter{session: s, stream: runtime.Stdout}
		for range 100 {
			if n, err := out.Write([]byte("late")); n != 0 || err == nil {
				t.Fatalf("%s: %d bytes were written, %v", name, n, err)
			}
		}
		s.cancel()
	}
}
