package placer_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// cut is a bus on which some writes fail, as they do for a placer that is
// killed just before them.
type cut struct {
	bus.Bus
	mu   sync.Mutex
	fail map[string]bool // "delete", or the beginning of a subject
}

func (c *cut) with(b bus.Bus) bus.Bus { c.Bus = b; return c }

func (c *cut) cuts(what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for prefix, on := range c.fail {
		if on && strings.HasPrefix(what, prefix) {
			return true
		}
	}
	return false
}

func (c *cut) set(what string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail == nil {
		c.fail = map[string]bool{}
	}
	c.fail[what] = on
}

func (c *cut) Append(ctx context.Context, m bus.Message) (uint64, error) {
	if c.cuts(m.Subject) {
		return 0, bus.ErrUnavailable
	}
	return c.Bus.Append(ctx, m)
}

func (c *cut) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	if c.cuts(m.Subject) {
		return bus.Message{}, bus.ErrUnavailable
	}
	return c.Bus.Request(ctx, m)
}

// Consume hears nothing of a stream that is cut, as while others hold what it
// has.
func (c *cut) Consume(ctx context.Context, of bus.Consumer, handler func(bus.Delivery)) (bus.Subscription, error) {
	if c.cuts("consume " + of.Stream) {
		of.Filters = []string{"nobody.speaks.here"}
		of.Name += "-cut"
	}
	return c.Bus.Consume(ctx, of, handler)
}

func (c *cut) Bucket(name string) bus.Bucket {
	short := strings.ToLower(strings.TrimPrefix(name, root.Stream("")))
	return cutBucket{c.Bus.Bucket(name), short, c}
}

type cutBucket struct {
	bus.Bucket
	name string // "jobs", "names"
	cut  *cut
}

func (b cutBucket) Delete(ctx context.Context, key string, revision uint64) error {
	if b.cut.cuts("delete") || b.cut.cuts(b.name+" delete") {
		return bus.ErrUnavailable
	}
	return b.Bucket.Delete(ctx, key, revision)
}

func (b cutBucket) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	if b.cut.cuts("create") || b.cut.cuts(b.name+" create") {
		return 0, bus.ErrUnavailable
	}
	return b.Bucket.Create(ctx, key, value)
}

func (b cutBucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if b.cut.cuts(b.name + " update") {
		return 0, bus.ErrUnavailable
	}
	return b.Bucket.Update(ctx, key, value, revision)
}

// Watch gives what there is, and no news while "watch" is cut.
func (b cutBucket) Watch(ctx context.Context) iter.Seq2[bus.Change, error] {
	return func(yield func(bus.Change, error) bool) {
		for change, err := range b.Bucket.Watch(ctx) {
			if !b.cut.cuts("watch") && !yield(change, err) {
				return
			}
		}
	}
}

// An outcome is acknowledged by what the bucket says of its job, not by a copy
// that another placer has moved on from.
func TestAnOutcomeIsNotLostToAnOldCopyOfTheRecord(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c, jobs := &cut{}, y.client.Bucket(root.Stream(messages.BucketJobs))
		y.placer("p1", c.with)
		rec := messages.Record{V: 1, Job: task("web", "true"), State: messages.StateRunning, Node: "linux-1", Attempt: 1, Starts: 1, Created: time.Now()}
		first, err := jobs.Create(t.Context(), "web", encoded(t, rec))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.set("watch", true)
		rec.Attempt, rec.Starts = 2, 2 // by another placer
		if _, err := jobs.Update(t.Context(), "web", encoded(t, rec), first); err != nil {
			t.Fatal(err)
		}
		y.append(root.Outcome("linux-1", "web"), encoded(t, messages.Outcome{
			V: 1, Job: "web", Op: messages.OpRun, Node: "linux-1", Attempt: 2, Seq: 2, Status: messages.StatusCompleted, At: time.Now(),
		}))
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 2 {
			t.Errorf("it is %s after attempt %d", r.State, r.Attempt)
		}
	})
}

func encoded(t *testing.T, m any) []byte {
	t.Helper()
	data, err := messages.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAPlacerKilledBetweenTheLastWordAndTheDelete(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		kill := y.placer("p1", c.with)
		y.worker("linux-1", linux)
		c.set("delete", true)
		y.submit(task("web", "true"))
		y.ended("web")
		if left := y.left(); len(left) != 1 {
			t.Fatalf("records left: %v", left)
		}
		kill()
		y.placer("p2")
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateCompleted {
			t.Errorf("it is %s", r.State)
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

func TestAPlacerKilledBetweenTheLastWordAndTheDeadLetter(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		kill := y.placer("p1", c.with)
		c.set(root.Dead(""), true)
		job := task("web", "true")
		job.Policy.Deadline = messages.Duration(time.Second)
		y.submit(job)
		time.Sleep(5 * time.Second)
		y.ended("web")
		kill()
		y.placer("p2")
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateDead {
			t.Errorf("it is %s", r.State)
		}
		y.mu.Lock()
		defer y.mu.Unlock()
		if n := len(y.dead["web"]); n != 1 || len(y.left()) != 0 {
			t.Errorf("%d dead letters", n)
		}
	})
}

func TestAPlacerKilledBeforeItsCommand(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		kill := y.placer("p1", c.with)
		y.worker("linux-1", linux)
		c.set(root.Command(""), true)
		y.submit(task("web", "true"))
		time.Sleep(time.Second)
		kill()
		y.placer("p2")
		if r := y.record("web"); r.State != messages.StateAssigned {
			t.Fatalf("it is %s", r.State)
		}
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 1 {
			t.Errorf("it is %s after attempt %d: %s", r.State, r.Attempt, story(r))
		}
	})
}

// The end of a direct job may come before its beginning: the placer that has
// the beginning could not write it yet.
func TestAnOutcomeThatComesBeforeItsRecordIsNotLost(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		y.placer("p1", c.with)
		y.worker("linux-1", linux)
		c.set("create", true)
		y.direct("linux-1", task("web", "true"))
		time.Sleep(500 * time.Millisecond)
		c.set("create", false)
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateCompleted {
			t.Errorf("it is %s", r.State)
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

func TestTwoPlacersEachJobIsDoneOnce(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		y.worker("win-1", windows)
		y.worker("linux-1", linux)
		y.worker("linux-2", linux)
		const jobs = 60
		for i := range jobs {
			job := task(fmt.Sprintf("web-%d", i), []string{"true", "exit", "sleep"}[i%3], []string{"", "3", "2"}[i%3])
			if i%2 == 0 {
				job.Spec.Resources.CPUMilli = 200
			}
			y.submit(job)
			y.direct("linux-2", task(fmt.Sprintf("direct-%d", i), "true"))
			y.direct("win-1", task(fmt.Sprintf("refused-%d", i), "true"))
		}
		time.Sleep(10 * time.Minute)
		for i := range jobs {
			want := messages.StateCompleted
			if i%3 == 1 {
				want = messages.StateFailed
			}
			for id, want := range map[string]messages.State{fmt.Sprintf("web-%d", i): want, fmt.Sprintf("direct-%d", i): "completed", fmt.Sprintf("refused-%d", i): "completed"} {
				if r := y.ended(id); r.State != want || r.Starts != 1 {
					t.Errorf("%s is %s after %d starts: %s", id, r.State, r.Starts, story(r))
				}
			}
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
		if placers := verb[messages.PlacerInfoReply](y, messages.PlacerInfo, struct {
			V int `json:"v"`
		}{1}).Placers; len(placers) != 2 {
			t.Errorf("placers that know each other: %v", placers)
		}
	})
}

// A job that waits may be cancelled by one placer while the other places it:
// one of the two wins, and nothing runs that is said to be cancelled.
func TestTwoPlacersCancelAgainstPlace(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		const jobs = 50
		for i := range jobs {
			y.submit(task(fmt.Sprintf("web-%d", i), "sleep", "3600"))
		}
		time.Sleep(time.Second)
		go func() {
			for i := range jobs {
				y.cancel(fmt.Sprintf("web-%d", i))
			}
		}()
		y.worker("linux-1", linux)
		time.Sleep(10 * time.Minute)
		for i := range jobs {
			if r := y.ended(fmt.Sprintf("web-%d", i)); r.State != messages.StateCancelled {
				t.Errorf("%s is %s: %s", r.Job.ID, r.State, story(r))
			}
		}
		if running := y.running("linux-1"); running != 0 {
			t.Errorf("%d cancelled jobs run", running)
		}
	})
}

// running is how many containers a node says it has that have not ended.
func (y *yard) running(node string) int {
	y.t.Helper()
	reply, err := y.client.Request(y.t.Context(), bus.Message{Subject: root.NodeVerb(node, messages.VerbList)})
	if err != nil {
		y.t.Fatal(err)
	}
	return len(decoded[messages.ListReply](y, reply).Containers)
}

func TestAWorkerThatIsAwayIsAskedAgain(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		stop := y.worker("linux-1", linux)
		y.direct("linux-1", task("keeps-it-from-saying-goodbye", "sleep", "3600"))
		synctest.Wait()
		stop()
		y.submit(task("web", "true"))
		time.Sleep(5 * time.Second)
		if r := y.record("web"); !strings.Contains(r.Reason, "did not answer") {
			t.Errorf("it is %s: %s", r.State, r.Reason)
		}
		time.Sleep(10 * time.Second)
		if nodes := verb[messages.NodesReply](y, messages.PlacerNodes, messages.NodesRequest{V: 1}).Nodes; len(nodes) != 1 || nodes[0].State != messages.NodeLost {
			t.Errorf("the nodes are %+v", nodes)
		}
		y.worker("linux-2", linux)
		time.Sleep(10 * time.Second)
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Node != "linux-2" {
			t.Errorf("it is %s on %s", r.State, r.Node)
		}
	})
}
