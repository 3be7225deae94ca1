package logger

import (
	"context"
	"time"
)

// lookAgain is how often a log that is followed is looked at.
const lookAgain = 100 * time.Millisecond

// Watcher tells when to look at a log again.
type Watcher struct{}

// Watch begins to watch. The caller must Close it.
func Watch(string) (*Watcher, error) { return &Watcher{}, nil }

// Wait returns when it is time to look, or when other is closed or sent to. Its
// error is the context's.
func (w *Watcher) Wait(ctx context.Context, other <-chan struct{}) error {
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-other:
	case <-timer.C:
	}
	return nil
}

// Close ends the watch.
func (w *Watcher) Close() error { return nil }
