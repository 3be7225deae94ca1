package placer_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// deafBus is a connection that seems to stand, and on which nothing comes in for
// a while.
type deafBus struct {
	bus.Bus
	deaf *atomic.Bool
}

func (b deafBus) Subscribe(subject string, handler func(bus.Message)) (bus.Subscription, error) {
	return b.Bus.Subscribe(subject, func(m bus.Message) {
		if !b.deaf.Load() {
			handler(m)
		}
	})
}

func (b deafBus) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	if b.deaf.Load() {
		<-ctx.Done()
		return bus.Message{}, context.Cause(ctx)
	}
	return b.Bus.Request(ctx, m)
}

func TestAPlacerThatHearsNotEvenItselfJudgesNobody(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		var deaf atomic.Bool
		y.placer("p1", func(b bus.Bus) bus.Bus { return deafBus{b, &deaf} })
		for _, node := range []string{"linux-1", "linux-2"} {
			y.worker(node, linux)
		}
		service := task("web")
		service.Kind, service.Spec.Image = messages.KindService, "team/server:1"
		y.submit(service)
		time.Sleep(20 * time.Second)
		before := y.record("web")
		for _, long := range []time.Duration{9 * time.Second, 25 * time.Second, 5 * time.Minute} {
			deaf.Store(true)
			time.Sleep(long)
			deaf.Store(false)
			time.Sleep(30 * time.Second)
			if r := y.record("web"); r.State != messages.StateRunning || r.Node != before.Node || r.Attempt != before.Attempt {
				t.Fatalf("after %s without hearing anything it is %s on %s, attempt %d: %s", long, r.State, r.Node, r.Attempt, story(r))
			}
		}
	})
}
