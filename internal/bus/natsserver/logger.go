package natsserver

import (
	"context"
	"fmt"
	"log/slog"
)

// logger hands the server's log to slog. What the server notes and debugs is
// debug here: whoever embeds it wants to hear of trouble only.
type logger struct {
	to    *slog.Logger
	fatal chan error // the first fatal message, which is why a start fails
}

func newLogger(to *slog.Logger) *logger {
	if to == nil {
		to = slog.New(slog.DiscardHandler)
	}
	return &logger{to: to.With("part", "nats-server"), fatal: make(chan error, 1)}
}

func (l *logger) debug() bool { return l.to.Enabled(context.Background(), slog.LevelDebug) }

func (l *logger) Noticef(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
func (l *logger) Debugf(format string, v ...any)  { l.log(slog.LevelDebug, format, v) }
func (l *logger) Tracef(format string, v ...any)  { l.log(slog.LevelDebug-4, format, v) }
func (l *logger) Warnf(format string, v ...any)   { l.log(slog.LevelWarn, format, v) }
func (l *logger) Errorf(format string, v ...any)  { l.log(slog.LevelError, format, v) }

// Fatalf does not end the process, as the server's own logger would.
func (l *logger) Fatalf(format string, v ...any) {
	l.log(slog.LevelError, format, v)
	select {
	case l.fatal <- fmt.Errorf(format, v...):
	default:
	}
}

func (l *logger) log(level slog.Level, format string, v []any) {
	ctx := context.Background()
	if l.to.Enabled(ctx, level) {
		l.to.Log(ctx, level, fmt.Sprintf(format, v...))
	}
}
