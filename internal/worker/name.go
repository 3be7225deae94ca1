package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// ErrNameTaken says that another worker, with another journal, answers under
// the node's name.
var ErrNameTaken = errors.New("another worker answers under this node's name")

// Bounds of the question who answers under the node's name.
const (
	nameWithin = 2 * time.Second        // an answer; without one the name counts as free
	namePause  = 200 * time.Millisecond // between looks at whether the bus is there, which ask nobody
)

// checkName asks who answers under the node's name. This worker does not yet.
func (w *Worker) checkName(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, nameWithin)
	defer cancel()
	reply, err := w.cfg.Bus.Request(ctx, bus.Message{Subject: w.cfg.Root.NodeVerb(w.cfg.Node, messages.VerbInfo)})
	if errors.Is(err, bus.ErrNoResponders) {
		return nil
	}
	var info messages.InfoReply
	if err == nil {
		info, err = messages.Decode[messages.InfoReply](reply.Data)
	}
	if err != nil {
		// A connection that its worker has lost, and the server not yet, hears
		// and does not answer.
		w.log.Warn("whether another worker has this node's name could not be found out", "error", err)
		return nil
	}
	journal, _, _ := messages.ParseIncarnation(info.Incarnation)
	if journal == w.cfg.Journal.ID() {
		return nil
	}
	return fmt.Errorf("%w: node %q is run by the worker with the journal %s (version %s), and this one's journal is %s; give this one a --node of its own, or stop the other first",
		ErrNameTaken, w.cfg.Node, journal, info.Version, w.cfg.Journal.ID())
}

// enter joins the fleet: it makes sure that the name is free, answers under it,
// and begins to report. Without a bus that waits, in the background, until there
// is one.
func (w *Worker) enter(ctx context.Context) error {
	if connected, _ := w.cfg.Bus.Connection(); connected {
		return w.join(ctx)
	}
	w.work.Go(func() {
		tick := time.NewTicker(namePause)
		defer tick.Stop()
		for connected := false; !connected; connected, _ = w.cfg.Bus.Connection() {
			select {
			case <-w.ctx.Done():
				return
			case <-tick.C:
			}
		}
		if err := w.join(w.ctx); err != nil && w.ctx.Err() == nil {
			w.log.Error("the worker cannot join the fleet", "error", err)
			w.failed <- err
		}
	})
	return nil
}

func (w *Worker) join(ctx context.Context) error {
	if err := w.checkName(ctx); err != nil {
		return err
	}
	sub, err := w.serve()
	if err != nil {
		return err
	}
	w.subscribed(sub)
	w.work.Go(w.publish)
	w.work.Go(w.beat)
	return nil
}

// Failed gives the error for which a worker that has started cannot go on; its
// owner has to Stop it.
func (w *Worker) Failed() <-chan error { return w.failed }

// heardOwnName looks at a heartbeat under this node's name. One of another
// journal is another worker's: placers give neither of the two any work.
func (w *Worker) heardOwnName(c *messages.Capabilities) {
	journal, _, ok := messages.ParseIncarnation(c.Incarnation)
	if !ok || journal == w.cfg.Journal.ID() || c.TTL == 0 {
		return
	}
	if _, told := w.rivals.LoadOrStore(journal, true); told {
		return
	}
	w.log.Error("another worker sends heartbeats under this node's name; the fleet gives neither any work until one of them is stopped",
		"its_journal", journal, "own_journal", w.cfg.Journal.ID(), "its_version", c.Version)
}
