package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// ask asks a verb of the worker.
func ask[T any, P interface {
	*T
	messages.Validator
}](r *rig, verb messages.WorkerVerb, body string) (T, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Hour)
	defer cancel()
	reply, err := r.client.Request(ctx, bus.Message{Subject: root.NodeVerb("linux-1", verb), Data: []byte(body)})
	if err != nil {
		r.t.Fatalf("%s: %v", verb, err)
	}
	var none T
	if text := reply.Header[messages.HeaderError]; text != "" {
		return none, errors.New(text)
	}
	v, err := messages.DecodeRequest[T, P](reply.Data)
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", verb, err, reply.Data)
	}
	return v, nil
}

// drainReply is a DrainReply that can be decoded.
type drainReply messages.DrainReply

func (*drainReply) Validate() error { return nil }

func (r *rig) drain(verb messages.WorkerVerb, body string) (draining bool, left int) {
	r.t.Helper()
	reply, err := ask[drainReply](r, verb, body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply.Draining, reply.Left
}

// events are the kinds of events that the node has told.
func (r *rig) events() func() string {
	var kinds []string
	r.subscribe(root.Event("linux-1", "*"), func(m bus.Message) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if kind := root.Token(m.Subject, 2); strings.HasPrefix(kind, "node_") {
			kinds = append(kinds, kind)
		}
	})
	return func() string {
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		return strings.Join(kinds, " ")
	}
}

func TestADrainingNodeTakesNoNewWorkAndFinishesItsOwn(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		told := r.events()
		r.send(placed(task("web", "sleep", "60"), 1))
		synctest.Wait()
		if draining, left := r.drain(messages.VerbDrain, ""); !draining || left != 1 {
			t.Errorf("draining %v, left %d", draining, left)
		}
		if !r.lastBeat().Draining {
			time.Sleep(time.Second)
			if !r.lastBeat().Draining {
				t.Error("the heartbeat does not say so")
			}
		}
		o := r.send(placed(task("more", "true"), 1))
		if o.Status != messages.StatusRouteToPeer || o.Route.Code != messages.RefuseDraining {
			t.Errorf("new work is answered %s %+v", o.Status, o.Route)
		}
		exec := messages.Job{V: 1, ID: "look", Op: messages.OpExec, Container: "web-rep-0", Args: messages.Args{Cmd: []string{"true"}}}
		if o := r.send(exec, messages.HeaderWait, "9s"); o.Status != messages.StatusCompleted {
			t.Errorf("an op on a container that is here: %s %v", o.Status, o.Error)
		}
		begun := time.Now()
		if draining, left := r.drain(messages.VerbDrain, `{"v":1,"node":"linux-1","timeout":"5s"}`); !draining || left != 1 || time.Since(begun) != 5*time.Second {
			t.Errorf("draining %v, left %d, after %v", draining, left, time.Since(begun))
		}
		if draining, left := r.drain(messages.VerbDrain, `{"v":1,"timeout":"10m"}`); !draining || left != 0 || r.said("web") != "1.2 completed" {
			t.Errorf("draining %v, left %d; said: %s", draining, left, r.said("web"))
		}
		if got := told(); got != "node_draining node_drained" {
			t.Errorf("told: %s", got)
		}
		if draining, _ := r.drain(messages.VerbUndrain, ""); draining {
			t.Error("it is still draining")
		}
		if o := r.send(placed(task("more", "true"), 2)); o.Status != messages.StatusAccepted {
			t.Errorf("after the undrain: %s", o.Status)
		}
	})
}

func TestADrainIsKeptOverARestartAndALeaveIsNot(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.drain(messages.VerbDrain, "")
		r.restart()
		if o := r.send(placed(task("a", "true"), 1)); o.Status != messages.StatusRouteToPeer {
			t.Errorf("after a restart: %s", o.Status)
		}
		r.drain(messages.VerbUndrain, "")
		r.send(placed(task("web", "sleep", "60"), 1))
		synctest.Wait()
		begun := time.Now()
		r.w.Leave(t.Context())
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("it left after %v", took)
		}
		if o := r.send(placed(task("b", "true"), 1)); o.Status != messages.StatusRouteToPeer {
			t.Errorf("while it leaves: %s", o.Status)
		}
		if _, err := ask[drainReply](r, messages.VerbUndrain, ""); err == nil || !strings.Contains(err.Error(), "leaving") {
			t.Errorf("an undrain of a leaving worker: %v", err)
		}
		r.restart()
		if o := r.send(placed(task("c", "true"), 1)); o.Status != messages.StatusAccepted {
			t.Errorf("the next worker: %s", o.Status)
		}
	})
}

func TestALeaveIsCutShort(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(placed(task("web", "sleep", "3600"), 1))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		begun := time.Now()
		r.w.Leave(ctx)
		if took := time.Since(begun); took != 30*time.Second {
			t.Errorf("it left after %v", took)
		}
		r.stop()
		if got := r.containers(); got != "web-rep-0 running" {
			t.Errorf("its container is %q", got)
		}
	})
}

func TestADrainForAnotherNodeIsRefused(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		if _, err := ask[drainReply](r, messages.VerbDrain, `{"v":1,"node":"other"}`); err == nil || !strings.Contains(err.Error(), "node") {
			t.Errorf("answered %v", err)
		}
		if r.lastBeat().Draining {
			t.Error("it drains")
		}
	})
}

// rival is another worker under the same name, over the same bus.
func (r *rig) rival(t *testing.T) (*worker.Worker, error) {
	cfg := r.cfg
	cfg.Journal = memjournal.New()
	conn := r.server.Connect("rival")
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	cfg.Bus = conn
	w, err := worker.Start(t.Context(), cfg)
	if w != nil {
		t.Cleanup(func() { w.Stop(context.Background()) })
	}
	return w, err
}

func TestANameThatIsTakenIsAClearError(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		w, err := r.rival(t)
		if !errors.Is(err, worker.ErrNameTaken) || w != nil {
			t.Fatalf("started: %v, %v", w, err)
		}
		for _, want := range []string{`"linux-1"`, r.journal.ID(), "--node"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %q: %v", want, err)
			}
		}
	})
}

// lateBus is a bus that is not there at first.
type lateBus struct {
	bus.Bus
	there chan struct{}
}

func (b lateBus) Connection() (bool, time.Time) {
	select {
	case <-b.there:
		return b.Bus.Connection()
	default:
		return false, time.Time{}
	}
}

// A worker that starts without a bus finds out when there is one, and takes its
// own work up all the same.
func TestANameThatTurnsOutToBeTaken(t *testing.T) {
	for name, taken := range map[string]bool{"taken": true, "free": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				if taken {
					r.start()
				}
				cfg := r.cfg
				cfg.Journal = memjournal.New()
				if cfg.Runtime == nil {
					r.start()
					r.stop()
					cfg = r.cfg
				}
				conn := r.server.Connect("late")
				defer conn.Close(context.Background())
				late := lateBus{conn, make(chan struct{})}
				cfg.Bus = late
				w, err := worker.Start(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer w.Stop(context.Background())
				time.Sleep(time.Minute)
				select {
				case err := <-w.Failed():
					t.Fatalf("without a bus it fails: %v", err)
				default:
				}
				close(late.there)
				time.Sleep(5 * time.Second)
				select {
				case err := <-w.Failed():
					if !taken || !errors.Is(err, worker.ErrNameTaken) {
						t.Errorf("it fails: %v", err)
					}
				default:
					if taken {
						t.Error("it goes on under another's name")
					} else if o := r.send(placed(task("a", "true"), 1)); o.Status != messages.StatusAccepted {
						t.Errorf("it answers %s", o.Status)
					}
				}
			})
		})
	}
}
