package remote

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Dialer opens a pipe to a far end. Closing the pipe ends what it has started,
// and whoever reads from it. ctx bounds the dialling alone.
type Dialer func(ctx context.Context) (io.ReadWriteCloser, error)

// Config says where the far end is.
type Config struct {
	Dial Dialer // required

	// FirstWord is how long the far end may take from the dialling to its hello,
	// and from there to its first answer. Default: 2m; a WSL that was not running
	// starts a whole system meanwhile.
	FirstWord time.Duration
	// Quiet is how long the far end may say nothing before it is asked whether it
	// is there, and how long that answer may take. Default, and the least: 10s.
	Quiet time.Duration
	// Pause is how long it is waited after the first failure to dial; each
	// further pause is half as long again, up to MostPause, and all of them vary.
	// Default: 200ms and 30s.
	Pause, MostPause time.Duration

	Logger *slog.Logger // default: slog.Default
}

func (c Config) withDefaults() (Config, error) {
	if c.Dial == nil {
		return c, fmt.Errorf("remote: config: Dial is nil; want a Dialer: %w", errdefs.ErrInvalidArgument)
	}
	for _, d := range []struct {
		field    string
		value    *time.Duration
		fallback time.Duration
	}{
		{"FirstWord", &c.FirstWord, 2 * time.Minute},
		{"Quiet", &c.Quiet, 10 * time.Second},
		{"Pause", &c.Pause, 200 * time.Millisecond},
		{"MostPause", &c.MostPause, 30 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.fallback
		}
		if *d.value < 0 {
			return c, fmt.Errorf("remote: config: %s: %v is not allowed; want a duration above 0: %w", d.field, *d.value, errdefs.ErrInvalidArgument)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

// Runtime is the one at the far end of a pipe. Make it with New.
type Runtime struct {
	cfg Config
	log *slog.Logger

	life    context.Context // until Close
	end     context.CancelFunc
	keeping sync.WaitGroup

	mu      sync.Mutex
	link    *link         // nil: away
	away    error         // why
	changed chan struct{} // closed at the next change of these
}

var _ runtime.Runtime = (*Runtime)(nil)

// New begins to dial, and returns at once; see Await. The caller must Close it.
func New(cfg Config) (*Runtime, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Runtime{cfg: cfg, log: cfg.Logger, away: errFirst, changed: make(chan struct{})}
	r.life, r.end = context.WithCancel(context.Background())
	r.keeping.Go(r.keep)
	return r, nil
}

// Await returns when the far end is there, or when ctx ends; then the error says
// why it is not there.
func (r *Runtime) Await(ctx context.Context) error {
	for {
		r.mu.Lock()
		l, changed := r.link, r.changed
		r.mu.Unlock()
		if l != nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			_, err := r.current()
			return err
		}
	}
}

// Close says goodbye and ends the far end. Calls that are under way become
// Unavailable.
func (r *Runtime) Close() error {
	r.end()
	r.keeping.Wait()
	return nil
}

// current is the link there is now.
func (r *Runtime) current() (*link, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.link == nil {
		return nil, fmt.Errorf("the delegate is away (%w): %w", r.away, errdefs.ErrUnavailable)
	}
	return r.link, nil
}

// set notes a new link, or why there is none.
func (r *Runtime) set(l *link, away error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.link, r.away = l, away
	close(r.changed)
	r.changed = make(chan struct{})
}
