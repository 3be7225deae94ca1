package placer_test

import (
	"context"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// lateBus is that of a placer which stands still before its command goes out:
// until another one has sent the same command.
type lateBus struct {
	bus.Bus
	sent <-chan struct{}
}

func (b lateBus) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	if m.Subject == root.Command("linux-1") {
		<-b.sent
		return bus.Message{}, bus.ErrNoResponders
	}
	return b.Bus.Request(ctx, m)
}

// sendingBus tells that the first command was answered.
type sendingBus struct {
	bus.Bus
	sent chan struct{}
}

func (b sendingBus) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	reply, err := b.Bus.Request(ctx, m)
	if m.Subject == root.Command("linux-1") {
		select {
		case <-b.sent:
		default:
			close(b.sent)
		}
	}
	return reply, err
}

// That nobody heard a placer's first command proves something only while nobody
// else can have sent it.
func TestACommandThatWasLateIsNotSurelyUnheard(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		sent := make(chan struct{})
		y.placer("p1", func(b bus.Bus) bus.Bus { return lateBus{b, sent} })
		one := y.box("linux-1")
		y.submit(task("web", "sleep", "600"))
		time.Sleep(time.Second)
		two := y.box("linux-2")
		y.placer("p2", func(b bus.Bus) bus.Bus { return sendingBus{b, sent} })
		y.holds("it runs", 2*time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		time.Sleep(time.Minute)
		if r := y.record("web"); r.Attempt != 1 || one.runs("web") != 1 || two.runs("web") != 0 {
			t.Errorf("%d and %d run: %s", one.runs("web"), two.runs("web"), story(r))
		}
	})
}
