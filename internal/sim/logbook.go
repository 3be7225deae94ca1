package sim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// logbook keeps what the processes log, for the trace of what went wrong. It
// puts nothing into words before it is asked.
type logbook struct {
	mu    sync.Mutex
	lines []logLine
}

type logLine struct {
	at      time.Time
	process string
	message string
	attrs   []slog.Attr
}

// handler makes one for a process's logger.
func (b *logbook) handler(process string) slog.Handler { return &logHandler{book: b, process: process} }

type logHandler struct {
	book    *logbook
	process string
	attrs   []slog.Attr
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	line := logLine{at: r.Time, process: h.process, message: r.Message, attrs: h.attrs}
	r.Attrs(func(a slog.Attr) bool {
		line.attrs = append(line.attrs[:len(line.attrs):len(line.attrs)], a)
		return true
	})
	h.book.mu.Lock()
	defer h.book.mu.Unlock()
	h.book.lines = append(h.book.lines, line)
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return &logHandler{book: h.book, process: h.process, attrs: all}
}

func (h *logHandler) WithGroup(string) slog.Handler { return h }

// about is what was logged about a job.
func (b *logbook) about(job string) []logLine {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []logLine
	for _, l := range b.lines {
		if l.names(job) || l.message == "node" {
			found = append(found, l)
		}
	}
	return found
}

func (l logLine) names(job string) bool {
	for _, a := range l.attrs {
		if text := a.Value.String(); text == job || strings.HasPrefix(text, job+"/") || strings.Contains(text, job+"-rep-") {
			return true
		}
	}
	return false
}

func (l logLine) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", l.process, l.message)
	for _, a := range l.attrs {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
	}
	return b.String()
}
