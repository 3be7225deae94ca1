package natsbus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantUnavailable(err error) error {
	if !errors.Is(err, bus.ErrUnavailable) {
		return fmt.Errorf("got error %w, want %w", err, bus.ErrUnavailable)
	}
	return nil
}

func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came within %v", patience)
		panic("not reached")
	}
}

// await waits for a condition that nothing announces.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	late := time.After(patience)
	for !ok() {
		select {
		case <-late:
			t.Fatalf("not so within %v", patience)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// watch puts what a bucket's watch gives into a channel, in short.
func watch(ctx context.Context, k bus.Bucket) <-chan string {
	changes := make(chan string, 100)
	go func() {
		for c, err := range k.Watch(ctx) {
			switch {
			case err != nil:
				changes <- err.Error()
			case c.Current:
				changes <- "current"
			case c.Deleted:
				changes <- "-" + c.Key
			default:
				changes <- "+" + c.Key
			}
		}
	}()
	return changes
}

// until reads until something comes.
func until(t *testing.T, changes <-chan string, want string) {
	t.Helper()
	for receive(t, changes) != want { // receive ends the test when it takes too long
	}
}

// line is a TCP proxy that can be cut and mended.
type line struct {
	to     string
	listen net.Listener

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newLine(t *testing.T, url string) *line {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l := &line{to: strings.TrimPrefix(url, "nats://"), listen: listen}
	go l.accept()
	t.Cleanup(func() {
		_ = listen.Close()
		l.cut()
	})
	return l
}

func (l *line) url() string { return "nats://" + l.listen.Addr().String() }

func (l *line) accept() {
	for {
		from, err := l.listen.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", l.to)
		l.mu.Lock()
		if err != nil || l.down {
			_ = from.Close()
			if err == nil {
				_ = to.Close()
			}
			l.mu.Unlock()
			continue
		}
		l.conns = append(l.conns, from, to)
		l.mu.Unlock()
		go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
		go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
	}
}

// cut breaks what goes through, and lets nothing through until mend.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}
