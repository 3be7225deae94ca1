package sim

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Result is what came of a run.
type Result struct {
	Config   Config
	History  []checker.Event
	Verdict  checker.Verdict
	Coverage *Coverage
	Virtual  time.Duration // how long it took, by the fleet's clock
	Unrest   string        // what had not come to rest when the time for that was over; "": all had

	book *logbook
}

// OK tells whether everything held.
func (r *Result) OK() bool { return r.Unrest == "" && r.Verdict.OK() }

// Run does one run in a bubble of virtual time. Whether the guarantees held
// stands in the result; the test itself is not failed.
func Run(t *testing.T, cfg Config) (*Result, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	var result *Result
	synctest.Test(t, func(*testing.T) { result, err = run(cfg) })
	return result, err
}

func run(cfg Config) (*Result, error) {
	s, err := newSimulation(cfg)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	c := newClient(s)
	if err := s.observe(); err != nil {
		return nil, err
	}
	if err := c.listen(); err != nil {
		return nil, err
	}
	living, end := context.WithCancel(context.Background())
	defer end()
	for _, p := range s.processes() {
		s.work.Go(func() { p.run(living) })
	}
	time.Sleep(5 * time.Second) // so that nodes are known when work comes
	s.beside((&nemesis{s: s, rng: s.dice.sequence("nemesis")}).run)
	s.beside(func(ctx context.Context) { c.run(ctx, cfg.Length) })
	time.Sleep(cfg.Length)
	close(s.calm)
	s.setBus(true)
	time.Sleep(time.Minute) // everybody is back, and knows the others
	c.finish(s.ctx)
	unrest := s.settle()
	live, err := s.live()
	s.record(checker.Event{Kind: checker.End, Live: live})
	history, _ := s.history.History()
	took := time.Since(begun)
	end()
	s.close()
	if err != nil {
		return nil, fmt.Errorf("read the records that remain: %w", err)
	}
	return &Result{
		Config: cfg, History: history, Coverage: s.stats, Virtual: took, Unrest: unrest, book: &s.book,
		Verdict: checker.Check(history, checker.Config{Grace: grace, Placers: cfg.Placers}),
	}, nil
}

// grace is how long a container that was superseded may run on once its node
// can be heard.
const grace = 90 * time.Second

// settle waits until everything has come to rest, and says what has not.
func (s *simulation) settle() string {
	quiet := 0
	var unrest string
	for deadline := time.Now().Add(s.cfg.Settle); time.Now().Before(deadline); time.Sleep(10 * time.Second) {
		if unrest = s.unrest(); unrest != "" {
			quiet = 0
		} else if quiet++; quiet > 3 {
			return ""
		}
	}
	return unrest
}

// unrest names something that has not come to its end, or to waiting for a
// reason.
func (s *simulation) unrest() string {
	live, err := s.live()
	if err != nil {
		return err.Error()
	}
	for _, r := range live {
		if r.State != messages.StatePending || r.Reason == "" || len(r.Fences) > 0 {
			return fmt.Sprintf("job %s is %s on %q (attempt %d, owing %v): %s", r.Job.ID, r.State, r.Node, r.Attempt, r.Fences, r.Reason)
		}
	}
	for _, n := range s.nodes {
		held, err := n.eye.List(s.ctx)
		if err != nil {
			return err.Error()
		}
		for _, c := range held {
			if !c.State.Phase.Ended() {
				return fmt.Sprintf("container %s of job %s, attempt %d, is %s on %s", c.ID, c.Owner.Job, c.Owner.Attempt, c.State.Phase, n.name)
			}
		}
		if waiting, err := n.journal.Queue(1); err != nil || len(waiting) > 0 {
			return fmt.Sprintf("outcomes wait to be published on %s (%v)", n.name, err)
		}
	}
	return ""
}

// close ends everything, so that the bubble can end.
func (s *simulation) close() {
	s.cancel()
	for _, n := range s.nodes {
		n.guard.Close()
		_ = n.machine.Close() // always nil
	}
	s.work.Wait()
	closeNow(s.net)
}
