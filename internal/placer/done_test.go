package placer_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// What a stranger says as a job's last word, and is none, neither blocks the id
// nor keeps the real one from being said.
func TestJunkIsNoLastWord(t *testing.T) {
	for name, junk := range map[string]string{
		"no JSON":       `{`,
		"another job's": `{"v":1,"job":{"v":1,"id":"other","op":"run"},"state":"completed"}`,
		"not ended":     `{"v":1,"job":{"v":1,"id":"web","op":"run"},"state":"pending"}`,
	} {
		t.Run(name, func(t *testing.T) {
			inYard(t, func(t *testing.T, y *yard) {
				y.junk = junk
				y.append(root.Done("web"), []byte(junk))
				y.placer("p1")
				y.worker("linux-1", linux)
				y.submit(task("web", "true"))
				time.Sleep(5 * time.Second)
				if r := y.ended("web"); r.State != messages.StateCompleted || r.Node != "linux-1" {
					t.Errorf("the last word is %s on %q", r.State, r.Node)
				}
				if left := y.left(); len(left) != 0 {
					t.Errorf("records left: %v", left)
				}
			})
		})
	}
}

// heardBus counts what is sent on a subject, as one hears it who listens without
// the stream: what the stream refuses is heard, too.
type heardBus struct {
	bus.Bus
	subject string
	times   *atomic.Int32
}

func (b heardBus) Append(ctx context.Context, m bus.Message) (uint64, error) {
	if m.Subject == b.subject {
		b.times.Add(1)
	}
	return b.Bus.Append(ctx, m)
}

// A job that ended owing a revoke is looked at again when that is paid, and when
// it is retried. Each of its lives has one last word, even for those who do not
// read it from the stream.
func TestTheLastWordIsHeardOnce(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		var times atomic.Int32
		y.placer("p1", func(b bus.Bus) bus.Bus { return heardBus{b, root.Done("web"), &times} })
		one := y.box("linux-1")
		job := service("web")
		job.Kind = messages.KindTask
		y.submit(job)
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		one.kill()
		y.holds("it is lost", time.Minute, y.said("web"))
		if r := y.record("web"); r.State != messages.StateLost || len(r.Fences) != 1 {
			t.Errorf("it is %s and owes %v", r.State, r.Fences)
		}
		one.start()
		y.holds("the debt is paid", time.Minute, func() bool { return len(y.left()) == 0 })
		if r := y.record("web"); len(r.Fences) != 0 {
			t.Errorf("still owed: %v", r.Fences)
		}
		if n := times.Load(); n != 1 {
			t.Errorf("the last word was sent %d times", n)
		}
		verb[messages.Record](y, messages.PlacerRetry, messages.JobRequest{V: 1, ID: "web"})
		y.holds("it runs again", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		y.cancel("web")
		y.holds("it is cancelled", time.Minute, func() bool { return y.record("web").State == messages.StateCancelled })
		if n := times.Load(); n != 2 {
			t.Errorf("after two lives the last word was sent %d times", n)
		}
	})
}

// What a forgotten node was owed is not owed to it again by the next life: it
// would never be paid, and the record never go away.
func TestARetriedJobOwesAForgottenNodeNothing(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		job := service("web")
		job.Kind = messages.KindTask
		y.submit(job)
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		one.burn()
		y.holds("it is lost", time.Minute, y.said("web"))
		verb[messages.DrainReply](y, messages.PlacerForget, messages.NodeRequest{V: 1, Node: "linux-1"})
		y.holds("its record has gone", time.Minute, func() bool { return len(y.left()) == 0 })
		y.box("linux-2")
		if r := verb[messages.Record](y, messages.PlacerRetry, messages.JobRequest{V: 1, ID: "web"}); len(r.Fences) != 0 || r.Retries != 1 {
			t.Errorf("life %d owes %v", r.Retries, r.Fences)
		}
		y.holds("it runs again", time.Minute, y.is("web", messages.StateRunning, "linux-2"))
		y.cancel("web")
		y.holds("the next record has gone", time.Minute, func() bool { return len(y.left()) == 0 })
	})
}
