package placer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

var ann = messages.RegistryAuth{Registry: "docker.io", Username: "ann", Password: "correct-horse"}

// private is a registry of images that only ann may read.
type private struct{ memory.StaticImages }

func (p private) check(auth *messages.RegistryAuth) error {
	if auth == nil || *auth != ann {
		return fmt.Errorf("these are private: %w", errdefs.ErrUnauthenticated)
	}
	return nil
}

func (p private) Image(ctx context.Context, ref string, platform messages.Platform, pull messages.PullPolicy, auth *messages.RegistryAuth) (memory.Image, error) {
	if err := p.check(auth); err != nil {
		return memory.Image{}, err
	}
	return p.StaticImages.Image(ctx, ref, platform, pull, auth)
}

func (p private) Platforms(ctx context.Context, ref string, pull messages.PullPolicy, auth *messages.RegistryAuth) (string, []messages.Platform, error) {
	if err := p.check(auth); err != nil {
		return "", nil, err
	}
	return p.StaticImages.Platforms(ctx, ref, pull, auth)
}

// privateWorker puts a worker on the bus that finds its images in the private
// registry, and gives its key.
func (y *yard) privateWorker(node string, platform messages.Platform) *seal.Key {
	y.t.Helper()
	machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{platform}, Images: private{images}})
	if err != nil {
		y.t.Fatal(err)
	}
	composite, err := runtime.NewComposite(runtime.CompositeConfig{
		Primary: runtime.Member{Runtime: memory.New(machine)}, Resolver: private{images}, Logger: y.log,
	})
	if err != nil {
		y.t.Fatal(err)
	}
	key := y.newKey()
	stop := y.worker(node, platform, func(c *worker.Config) { c.Runtime, c.Key = composite, key })
	y.t.Cleanup(func() { stop(); _ = machine.Close() })
	return key
}

func (y *yard) newKey() *seal.Key {
	y.t.Helper()
	key, err := seal.NewKey()
	if err != nil {
		y.t.Fatal(err)
	}
	return key
}

// sealed is a task with ann's credentials, for the holder of an xkey.
func (y *yard) sealed(id, xkey string, cmd ...string) messages.Job {
	y.t.Helper()
	job := task(id, cmd...)
	var err error
	if job.Spec.RegistryAuth, err = seal.Seal(ann, xkey); err != nil {
		y.t.Fatal(err)
	}
	return job
}

func (y *yard) xkey() string {
	y.t.Helper()
	return verb[messages.PlacerInfoReply](y, messages.PlacerInfo, messages.EmptyRequest{V: 1}).XKey
}

// commands collects the jobs that nodes are sent, by node.
func (y *yard) commands() func(node string) []messages.Job {
	y.t.Helper()
	var mu sync.Mutex
	sent := map[string][]messages.Job{}
	y.subscribe(root.Command("*"), func(m bus.Message) {
		job := decoded[messages.Job](y, m)
		mu.Lock()
		defer mu.Unlock()
		node := root.Token(m.Subject, 1)
		sent[node] = append(sent[node], job)
	})
	return func(node string) []messages.Job {
		mu.Lock()
		defer mu.Unlock()
		return sent[node]
	}
}

func TestCredentialsAreSealedAnewForEachNode(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		sent := y.commands()
		y.placer("p1")
		win, lin := y.privateWorker("win-1", windows), y.privateWorker("linux-1", linux)
		xkey := y.xkey()
		job := y.sealed("web", xkey, "true")
		job.Target = "win-1"
		y.submit(job)
		time.Sleep(time.Second)
		r := y.ended("web")
		if r.State != messages.StateCompleted || r.Node != "linux-1" || r.Attempt != 2 {
			t.Fatalf("it is %s on %s: %s (%s)", r.State, r.Node, story(r), r.Reason)
		}
		if r.Job.Spec.RegistryAuth.Sealed != job.Spec.RegistryAuth.Sealed {
			t.Error("the record holds another box than the one that was submitted")
		}
		for node, key := range map[string]*seal.Key{"win-1": win, "linux-1": lin} {
			got := sent(node)
			if len(got) != 1 {
				t.Fatalf("%s was sent %d commands", node, len(got))
			}
			if auth, err := key.Open(&got[0]); err != nil || *auth != ann {
				t.Errorf("%s cannot open its box: %v", node, err)
			}
		}
		if _, err := lin.Open(&sent("win-1")[0]); err == nil {
			t.Error("linux-1 can open the box of win-1")
		}
	})
}

// oldAnswers has the answers of buckets be old when they come.
type oldAnswers struct{ bus.Bus }

type oldBucket struct{ bus.Bucket }

func (b oldAnswers) Bucket(name string) bus.Bucket { return oldBucket{b.Bus.Bucket(name)} }

func (b oldBucket) Get(ctx context.Context, key string) (bus.Entry, error) {
	e, err := b.Bucket.Get(ctx, key)
	time.Sleep(100 * time.Millisecond)
	return e, err
}

// TestPlacersShareOneXKey has several need it at once, and one come later.
func TestPlacersShareOneXKey(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		keys, told := map[string]bool{}, map[string]bool{}
		ask := func(placers int) {
			var mu sync.Mutex
			for range 200 {
				if len(told) >= placers {
					break
				}
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						info := verb[messages.PlacerInfoReply](y, messages.PlacerInfo, messages.EmptyRequest{V: 1})
						mu.Lock()
						defer mu.Unlock()
						keys[info.XKey], told[info.ID] = true, true
					})
				}
				wg.Wait()
			}
			if len(told) != placers || len(keys) != 1 || keys[""] {
				t.Errorf("%d placers of %d tell %d keys: %v", len(told), placers, len(keys), keys)
			}
		}
		for i := range 3 {
			y.placer(fmt.Sprintf("p%d", i), func(b bus.Bus) bus.Bus { return oldAnswers{b} })
		}
		ask(3)
		y.placer("p3")
		ask(4)
	})
}

func TestABoxForNobodyIsRejected(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.privateWorker("linux-1", linux)
		y.submit(y.sealed("web", y.newKey().Public(), "true"))
		elsewhere := y.sealed("elsewhere", y.xkey(), "true")
		elsewhere.Spec.Image = "evil.example/team/tool:1"
		y.submit(elsewhere)
		for job, want := range map[string]string{"web": y.xkey(), "elsewhere": `"docker.io"`} {
			e := y.rejection(job)
			if e.Code != messages.CodeInvalidArgument || e.Field != "spec.registry_auth.sealed" || !strings.Contains(e.Message, want) {
				t.Errorf("%s: %v (field %q), want one about the box that names %s", job, e, e.Field, want)
			}
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records: %v", left)
		}
	})
}

// TestTheKeyIsLostWithTheStore has a job wait whose box nobody can open any more.
func TestTheKeyIsLostWithTheStore(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		before := y.xkey()
		job := y.sealed("web", before, "true")
		y.submit(job)
		time.Sleep(time.Second)
		keys := y.client.Bucket(root.Stream(messages.BucketKeys))
		entry, err := keys.Get(t.Context(), "placers")
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Delete(t.Context(), "placers", entry.Revision); err != nil {
			t.Fatal(err)
		}
		if after := y.xkey(); after == before || after == "" {
			t.Fatalf("the key is %q still", after)
		}
		y.submit(job) // the same again is the same job
		time.Sleep(time.Second)
		if r := y.record("web"); r.State != messages.StatePending {
			t.Fatalf("submitted again, it is %s: %s", r.State, r.Reason)
		}
		y.mu.Lock()
		for _, o := range y.outcomes {
			t.Errorf("submitted again: %s %v", o.Status, o.Error)
		}
		y.mu.Unlock()
		y.privateWorker("linux-1", linux)
		time.Sleep(5 * time.Second)
		r := y.ended("web")
		if e := r.Outcome.Error; r.State != messages.StateFailed || e == nil || e.Field != "spec.registry_auth.sealed" || e.Retryable {
			t.Errorf("it is %s: %+v, want failed for its box", r.State, r.Outcome.Error)
		}
	})
}

// TestADirectCommandsBoxIsForOneNode has the node refuse the job.
func TestADirectCommandsBoxIsForOneNode(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		win := y.privateWorker("win-1", windows)
		lin := y.privateWorker("linux-1", linux)
		if o := y.direct("win-1", y.sealed("web", win.Public(), "true")); o.Status != messages.StatusRouteToPeer {
			t.Fatalf("win-1 answers %s %v", o.Status, o.Error)
		}
		time.Sleep(5 * time.Second)
		if r := y.ended("web"); r.State != messages.StateFailed || r.Outcome.Error.Field != "spec.registry_auth.sealed" {
			t.Errorf("it is %s on %s: %+v, want failed for its box", r.State, r.Node, r.Outcome)
		}
		if o := y.direct("linux-1", y.sealed("own", lin.Public(), "true")); o.Status != messages.StatusAccepted {
			t.Fatalf("linux-1 answers %s %v", o.Status, o.Error)
		}
		time.Sleep(time.Second)
		if r := y.ended("own"); r.State != messages.StateCompleted {
			t.Errorf("it is %s: %+v", r.State, r.Outcome)
		}
	})
}

// TestNobodySaysThePassword listens to the whole bus, and reads its store.
func TestNobodySaysThePassword(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		var mu sync.Mutex
		heard := 0
		y.subscribe(">", func(m bus.Message) {
			mu.Lock()
			defer mu.Unlock()
			heard++
			if text, _ := json.Marshal(m); strings.Contains(string(m.Data)+string(text), ann.Password) {
				t.Errorf("%s: %s", m.Subject, m.Data)
			}
		})
		y.placer("p1")
		y.privateWorker("linux-1", linux)
		y.submit(y.sealed("good", y.xkey(), "true"))
		bad := y.sealed("bad", y.xkey(), "true")
		bad.Spec.Image = "team/none:1"
		y.submit(bad)
		time.Sleep(time.Minute)
		for job, want := range map[string]messages.State{"good": messages.StateCompleted, "bad": messages.StateFailed} {
			r := y.ended(job)
			text, err := json.Marshal(r)
			if err != nil || r.State != want || strings.Contains(string(text), ann.Password) {
				t.Errorf("%s is %s: %s", job, r.State, text)
			}
		}
		if mu.Lock(); heard < 10 {
			t.Errorf("only %d messages were heard", heard)
		}
		mu.Unlock()
	})
}
