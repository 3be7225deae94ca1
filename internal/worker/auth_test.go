package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

var ann = messages.RegistryAuth{Registry: "docker.io", Username: "ann", Password: "correct-horse"}

// onlyAnn lets nobody else pull.
func onlyAnn(_ context.Context, opts runtime.PullOptions) error {
	if opts.Auth == nil || *opts.Auth != ann {
		return fmt.Errorf("these are private: %w", errdefs.ErrUnauthenticated)
	}
	return nil
}

// withKey gives the worker a key that outlives it.
func withKey(t *testing.T) (*seal.Key, func(*worker.Config)) {
	t.Helper()
	key, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key, func(c *worker.Config) { c.Key = key }
}

func sealed(t *testing.T, job messages.Job, xkey string) messages.Job {
	t.Helper()
	box, err := seal.Seal(ann, xkey)
	if err != nil {
		t.Fatal(err)
	}
	if job.Spec == nil {
		job.Spec = &messages.Spec{}
	}
	job.Spec.RegistryAuth = box
	return job
}

func TestSealedCredentialsOpenTheRegistry(t *testing.T) {
	key, with := withKey(t)
	inRig(t, func(t *testing.T, r *rig) {
		r.faulty.pulls = onlyAnn
		if got := r.lastBeat().XKey; got != key.Public() {
			t.Errorf("heartbeats tell the key %q, want %q", got, key.Public())
		}
		pull := messages.Job{V: 1, ID: "pull", Op: messages.OpPull, Target: "linux-1", Args: messages.Args{Image: "team/server:1"}}
		for _, job := range []messages.Job{
			sealed(t, task("run", "true"), key.Public()), sealed(t, pull, key.Public()), placed(sealed(t, task("placed", "true"), key.Public()), 3),
		} {
			if o := r.send(job, messages.HeaderWait, "1m"); o.Status != messages.StatusCompleted {
				t.Errorf("%s: %s %v", job.ID, o.Status, o.Error)
			}
		}
		if o := r.send(task("bare", "true"), messages.HeaderWait, "1m"); o.Error == nil || o.Error.Code != messages.CodeUnauthenticated {
			t.Errorf("without credentials: %s %v", o.Status, o.Error)
		}
	}, with)
}

func TestABoxThatCannotBeOpenedIsRejected(t *testing.T) {
	_, with := withKey(t)
	other, _ := withKey(t)
	inRig(t, func(t *testing.T, r *rig) {
		for _, job := range []messages.Job{sealed(t, task("direct", "true"), other.Public()), placed(sealed(t, task("placed", "true"), other.Public()), 3)} {
			o := r.send(job)
			if o.Status != messages.StatusRejected || o.Error.Code != messages.CodeInvalidArgument || o.Error.Field != "spec.registry_auth.sealed" || o.Error.Retryable {
				t.Errorf("%s: %s %v", job.ID, o.Status, o.Error)
			}
			if _, err := r.journal.Attempt(job.ID, 0); err == nil {
				t.Errorf("%s is in the journal", job.ID)
			}
		}
	}, with)
}

// TestCredentialsOutliveTheWorker restarts it while the registry is away: with
// its key, and with another one.
func TestCredentialsOutliveTheWorker(t *testing.T) {
	for name, lost := range map[string]bool{"key kept": false, "key lost": true} {
		t.Run(name, func(t *testing.T) {
			key, with := withKey(t)
			other, _ := withKey(t)
			inRig(t, func(t *testing.T, r *rig) {
				r.faulty.pulls = func(context.Context, runtime.PullOptions) error {
					return fmt.Errorf("the registry is away: %w", errdefs.ErrUnavailable)
				}
				if o := r.send(sealed(t, task("web", "true"), key.Public())); o.Status != messages.StatusAccepted {
					t.Fatalf("%s %v", o.Status, o.Error)
				}
				r.stop()
				if lost {
					r.cfg.Key = other
				}
				r.journal.Reopen()
				r.pulls = onlyAnn
				r.start()
				time.Sleep(time.Minute)
				switch o := r.last("web"); {
				case !lost && o.Status != messages.StatusCompleted:
					t.Errorf("%s %v", o.Status, o.Error)
				case lost && (o.Status != messages.StatusFailed || o.Error.Field != "spec.registry_auth.sealed" || o.Error.Retryable):
					t.Errorf("%s %+v, want failed for its box", o.Status, o.Error)
				}
			}, with)
		})
	}
}

// TestThePasswordIsNowhere looks into all that a worker says and keeps.
func TestThePasswordIsNowhere(t *testing.T) {
	key, with := withKey(t)
	var log bytes.Buffer
	var mu sync.Mutex
	logged := func(c *worker.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	inRig(t, func(t *testing.T, r *rig) {
		heard := 0
		r.subscribe(">", func(m bus.Message) {
			mu.Lock()
			defer mu.Unlock()
			if heard++; strings.Contains(string(m.Data), ann.Password) {
				t.Errorf("%s: %s", m.Subject, m.Data)
			}
		})
		r.faulty.pulls = onlyAnn
		r.send(sealed(t, task("good", "sleep", "60"), key.Public()))
		bad := sealed(t, task("bad", "true"), key.Public())
		bad.Spec.Image = "team/none:1"
		r.send(bad)
		elsewhere := sealed(t, task("elsewhere", "true"), key.Public())
		elsewhere.Spec.Image = "evil.example/team/tool:1"
		r.send(elsewhere)
		time.Sleep(time.Minute / 2)
		held, err := r.faulty.Inspect(t.Context(), runtime.ContainerID{Service: "good"})
		if err != nil || held.Spec.RegistryAuth != nil {
			t.Errorf("the container's spec: %+v, %v; want no credentials, sealed or not", held.Spec, err)
		}
		for _, id := range []string{"good", "bad"} {
			a, err := r.journal.Attempt(id, 0)
			text, _ := json.Marshal(a)
			if err != nil || strings.Contains(string(text), ann.Password) || !strings.Contains(string(text), `"sealed"`) {
				t.Errorf("the journal: %s %v", text, err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if heard < 10 || log.Len() == 0 {
			t.Errorf("%d messages heard, %d bytes logged", heard, log.Len())
		}
		if strings.Contains(log.String(), ann.Password) {
			t.Errorf("logged: %s", log.String())
		}
	}, with, logged)
}
