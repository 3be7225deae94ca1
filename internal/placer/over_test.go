package placer_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// keepingBus is a bus whose buckets delete nothing for a while.
type keepingBus struct {
	bus.Bus
	keeps *atomic.Bool
}

func (b keepingBus) Bucket(name string) bus.Bucket { return keepingBucket{b.Bus.Bucket(name), b.keeps} }

type keepingBucket struct {
	bus.Bucket
	keeps *atomic.Bool
}

func (b keepingBucket) Delete(ctx context.Context, key string, revision uint64) error {
	if b.keeps.Load() {
		return context.DeadlineExceeded
	}
	return b.Bucket.Delete(ctx, key, revision)
}

// Request says of a command that nobody heard it, some time after a copy of it
// was.
func (b keepingBus) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	reply, err := b.Bus.Request(ctx, m)
	if err != nil || !b.keeps.Load() || m.Subject != root.Command("linux-1") {
		return reply, err
	}
	time.Sleep(3 * time.Second)
	return bus.Message{}, bus.ErrNoResponders
}

// The last word is said, and then the placer is cut off before it can delete the
// record, which still says that the task is being handed over.
func TestATaskThatIsDoneIsNotHandedOverAgain(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		var keeps atomic.Bool
		keeps.Store(true)
		y.placer("p1", func(b bus.Bus) bus.Bus { return keepingBus{b, &keeps} })
		y.worker("linux-1", linux)
		job := task("web", "true")
		y.submit(job)
		time.Sleep(time.Second)
		y.worker("linux-2", linux)
		if left := y.left(); len(left) != 1 {
			t.Fatalf("records left: %v; the test wants that of the job", left)
		}
		time.Sleep(time.Minute)
		keeps.Store(false)
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Node != "linux-1" || r.Attempt != 1 {
			t.Errorf("its last word is %s of %s, attempt %d", r.State, r.Node, r.Attempt)
		}
		for _, o := range y.outcomes {
			if o.Job == "web" && o.Attempt != 1 {
				t.Errorf("%s says %s of attempt %d: it was handed over again", o.Node, o.Status, o.Attempt)
			}
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}
