// Package worker is the loop on a node: it takes commands, refuses what the
// node cannot run, journals what it accepts, carries it out, and reports.
//
// A worker owes an outcome for every attempt it has accepted. The acceptance is
// in the journal before it is said, and every outcome is in the journal before
// it is published, so a worker that is killed at any moment goes on from the
// journal and from what its runtime holds: it takes up containers that run,
// reports those that have ended, and never begins twice what must not be
// repeated.
//
// Containers are not the worker's children. Stopping the worker leaves them
// running, and the next one takes them up.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/lease"
	"github.com/shunt-fleet/shunt/internal/worker/policy"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

// Runtime is what a worker runs containers with; *runtime.Composite is one.
type Runtime interface {
	runtime.Runtime
	Decide(ctx context.Context, service string, spec *messages.Spec, auth *messages.RegistryAuth) (runtime.Decision, error)
	Members(ctx context.Context) []runtime.MemberStatus
	Member(name string) (runtime.Runtime, bool)
	ListMembers(ctx context.Context) ([]runtime.Container, []*runtime.MemberError, error)
}

// Config is what a worker needs.
type Config struct {
	Node    string
	Bus     bus.Bus         // the worker does not close it
	Runtime Runtime         // nor this
	Journal journal.Journal // nor this
	Root    messages.Root   // default: messages.DefaultRoot
	Labels  map[string]string
	Host    messages.Host
	Total   messages.Room // what placement may hand out; a zero field is not limited, but for GPUs
	Version string
	Policy  *policy.Policy // what containers may do here; default: policy.Default
	Logger  *slog.Logger   // default: slog.Default
	// Key opens the credentials that are sealed for this node; the journal holds
	// them sealed, so the next worker needs the same. Default: one that ends with
	// this worker.
	Key *seal.Key

	Heartbeat time.Duration // default 3 s
	TTL       time.Duration // default 10 s; of heartbeats and of the node's lease

	// Guard ends what runs under the lease when the worker is not there to do
	// it. Without one the lease does not outlive the worker, which suits a
	// runtime whose containers do not either.
	Guard lease.Guard
	// Unguarded are the members of Runtime whose containers outlive the worker
	// without a guard. They get no job with on_partition: stop.
	Unguarded []string
	// Clock times the lease; it has to count suspend. The default, the process's
	// own clock, does not: it is for virtual time.
	Clock lease.Clock
	Peers int // how many peers are remembered; default 256

	// DecideWithin bounds how long a command waits for an image's platforms to
	// be learned; a job that needs longer is accepted and may be refused later.
	// Default 2 s.
	DecideWithin time.Duration
	// RetryFor is how long what may pass (a registry, a runtime that is away)
	// is tried again before the attempt fails. Default 30 s.
	RetryFor time.Duration
}

func (c Config) withDefaults() (Config, error) {
	if err := messages.CheckToken("node", c.Node); err != nil {
		return c, err
	}
	if c.Bus == nil || c.Runtime == nil || c.Journal == nil {
		return c, fmt.Errorf("worker: a bus, a runtime and a journal are needed")
	}
	if c.Root == "" {
		c.Root = messages.DefaultRoot
	}
	if c.Policy == nil {
		c.Policy = policy.Default()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Guard != nil && c.Clock == nil {
		return c, fmt.Errorf("worker: a guard needs a clock: it goes on when the process has ended")
	}
	if c.Guard == nil {
		c.Guard = &noGuard{}
	}
	if c.Clock == nil {
		c.Clock = processClock{time.Now()}
	}
	if c.Key == nil {
		var err error
		if c.Key, err = seal.NewKey(); err != nil {
			return c, err
		}
	}
	if c.Peers == 0 {
		c.Peers = 256
	}
	if c.Peers < 0 {
		return c, fmt.Errorf("worker: peers: %d is not allowed; want at least 1", c.Peers)
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		fallback time.Duration
	}{
		{"heartbeat", &c.Heartbeat, 3 * time.Second},
		{"ttl", &c.TTL, 10 * time.Second},
		{"decide within", &c.DecideWithin, 2 * time.Second},
		{"retry for", &c.RetryFor, 30 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.fallback
		}
		if *d.value < 0 {
			return c, fmt.Errorf("worker: %s: %v is not allowed; want a duration above 0", d.name, *d.value)
		}
	}
	if c.TTL < 2*c.Heartbeat {
		return c, fmt.Errorf("worker: ttl: %v is not allowed; want at least twice the heartbeat (%v), so that one lost heartbeat is not a lost node", c.TTL, c.Heartbeat)
	}
	return c, c.Root.Validate()
}

// Worker is a running worker.
type Worker struct {
	cfg      Config
	log      *slog.Logger
	attempts *attempts
	lines    lines
	revokes  revokes
	drain    drain
	leases   *leases
	peers    *peers
	open     openAnswers
	outbox   chan struct{}            // the journal's queue has grown
	beatNow  chan struct{}            // a heartbeat is wanted before its time
	seq      atomic.Uint64            // of the last heartbeat
	held     atomic.Pointer[[]string] // digests of images, as heartbeats tell them
	still    *stillness
	rivals   sync.Map   // journals heard under this node's name
	failed   chan error // why the worker cannot go on

	listeners listeners // to its events

	ctx    context.Context // of everything the worker does; ends when it stops
	cancel context.CancelFunc
	work   group

	mu   sync.Mutex
	subs []bus.Subscription
}

// Start takes up what the journal holds, begins to answer and to report, and
// returns. Without a bus it begins to answer once there is one; should the
// node's name be another worker's by then, Failed says so (ErrNameTaken). ctx
// bounds the start alone; Stop ends the worker.
func Start(ctx context.Context, cfg Config) (*Worker, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Worker{
		cfg:      cfg,
		log:      cfg.Logger.With("node", cfg.Node),
		attempts: newAttempts(cfg.Total),
		peers:    newPeers(cfg.Peers),
		outbox:   make(chan struct{}, 1),
		beatNow:  make(chan struct{}, 1),
		failed:   make(chan error, 1),
		open:     make(openAnswers, mostOpen),
	}
	w.leases = newLeases(w)
	w.still = &stillness{limit: cfg.TTL - cfg.Heartbeat, most: cfg.TTL, last: cfg.Clock.Now()}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := w.begin(ctx); err != nil {
		w.abort(ctx)
		return nil, err
	}
	return w, nil
}

// begin is the start, in order: what was owed is taken up whether or not the
// fleet can be joined at once.
func (w *Worker) begin(ctx context.Context) error {
	if err := w.restoreDrain(); err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	if err := w.resume(); err != nil {
		return err
	}
	for _, hear := range []func() (bus.Subscription, error){w.hearPeers, w.hearOwnName} {
		sub, err := hear()
		if err != nil {
			return err
		}
		w.subscribed(sub)
	}
	w.work.Go(w.forget)
	w.work.Go(w.leases.keep)
	return w.enter(ctx)
}

func (w *Worker) subscribed(s bus.Subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subs = append(w.subs, s)
}

// Incarnation is the journal's identity and how often it was opened.
func (w *Worker) Incarnation() string {
	return fmt.Sprintf("%s.%d", w.cfg.Journal.ID(), w.cfg.Journal.Opened())
}

// Stop stops taking commands, publishes what is ready until ctx ends, and says
// goodbye if nothing is owed. Containers that run go on running; the next
// worker takes them up.
func (w *Worker) Stop(ctx context.Context) {
	w.unsubscribe(ctx)
	w.flush(ctx)
	w.cancel()
	w.work.Wait()
	w.goodbye(ctx)
}

// abort undoes a start that has failed. It says no goodbye: the name may be
// another worker's.
func (w *Worker) abort(ctx context.Context) {
	w.cancel()
	w.unsubscribe(ctx)
	w.work.Wait()
}

func (w *Worker) unsubscribe(ctx context.Context) {
	w.mu.Lock()
	subs := w.subs
	w.mu.Unlock()
	for _, s := range subs {
		if err := s.Stop(ctx); err != nil {
			w.log.Warn("a subscription did not stop in time", "error", err)
		}
	}
}

// journalAge is how long an ended attempt is remembered.
const journalAge = 24 * time.Hour

// forget drops old attempts from the journal now and then.
func (w *Worker) forget() {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if n, err := w.cfg.Journal.Forget(time.Now().Add(-journalAge)); err != nil {
			w.log.Warn("the journal could not be tidied", "error", err)
		} else if n > 0 {
			w.log.Debug("forgot attempts that ended long ago", "attempts", n)
		}
		select {
		case <-w.ctx.Done():
			return
		case <-tick.C:
		}
	}
}
