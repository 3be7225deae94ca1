package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func done(id string, fingerprint string) messages.Record {
	return messages.Record{
		V: messages.Version, Job: messages.Job{V: messages.Version, ID: id, Op: messages.OpRun},
		State: messages.StateCompleted, Node: "linux-1", Attempt: 1, Fingerprint: fingerprint,
	}
}

// waited is what a wait gives.
type waited struct {
	rec messages.Record
	err error
}

func within(t *testing.T, wait func(context.Context) (messages.Record, error)) <-chan waited {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	got := make(chan waited, 1)
	go func() {
		rec, err := wait(ctx)
		got <- waited{rec, err}
	}()
	return got
}

func TestAnEndThatIsHeardBeforeItIsStored(t *testing.T) {
	b := newBus(t)
	c := b.client()
	got := within(t, func(ctx context.Context) (messages.Record, error) { return c.Wait(ctx, "web") })
	b.looked(5) // it waits for longer and longer
	b.say(root.Done("web"), done("web", ""))
	b.looked(2) // at once, and once more: it is not there yet
	b.store(done("web", ""))
	if w := <-got; w.err != nil || w.rec.State != messages.StateCompleted || w.rec.Job.ID != "web" {
		t.Errorf("got %+v, %v", w.rec, w.err)
	}
}

func TestAnEndThatIsStoredAndNeverHeard(t *testing.T) {
	b := newBus(t)
	c := b.client()
	got := within(t, func(ctx context.Context) (messages.Record, error) { return c.Wait(ctx, "web") })
	b.looked(2)
	b.store(done("web", ""))
	if w := <-got; w.err != nil || w.rec.State != messages.StateCompleted {
		t.Errorf("got %+v, %v", w.rec, w.err)
	}
}

// An end that is only said is not believed: the stream may refuse it.
func TestAnEndThatIsNotStoredIsNone(t *testing.T) {
	b := newBus(t)
	c := b.client()
	ctx, cancel := context.WithCancel(t.Context())
	got := within(t, func(context.Context) (messages.Record, error) { return c.Wait(ctx, "web") })
	b.looked(1)
	b.say(root.Done("web"), done("web", ""))
	b.looked(3)
	select {
	case w := <-got:
		t.Errorf("got %+v, %v", w.rec, w.err)
	default:
	}
	cancel()
	if w := <-got; !errors.Is(w.err, context.Canceled) {
		t.Errorf("when it is given up: %v", w.err)
	}
}

func TestTheEndOfAnotherJobOfThatID(t *testing.T) {
	b := newBus(t)
	c := b.client()
	b.store(done("web", "another"))
	got := within(t, func(ctx context.Context) (messages.Record, error) {
		return c.await(ctx, "web", "mine", func() error { return nil })
	})
	b.looked(2)
	b.store(done("web", "mine"))
	if w := <-got; w.err != nil || w.rec.Fingerprint != "mine" {
		t.Errorf("got %+v, %v", w.rec, w.err)
	}
}

func TestARejectionEndsTheWait(t *testing.T) {
	b := newBus(t)
	c := b.client()
	got := within(t, func(ctx context.Context) (messages.Record, error) { return c.Wait(ctx, "web") })
	b.looked(1)
	b.say(root.Outcome(messages.PlacerNode, "web"), messages.Outcome{
		V: messages.Version, Job: "web", Node: messages.PlacerNode, Status: messages.StatusRejected, At: time.Now(),
		Error: &messages.Error{Code: messages.CodeAlreadyExists, Field: "service", Message: "the name is taken"},
	})
	w := <-got
	if e, ok := errors.AsType[*messages.Error](w.err); !ok || e.Code != messages.CodeAlreadyExists {
		t.Errorf("got %v", w.err)
	}
}

func TestABusThatDoesNotAnswerIsWaitedFor(t *testing.T) {
	b := newBus(t)
	v := newValve(t, b.nc.ConnectedAddr())
	c := b.clientAt("nats://" + v.Addr().String())
	c.lookWithin = 250 * time.Millisecond
	questions := make(chan struct{}, 1000)
	if _, err := b.nc.Subscribe("$JS.API.STREAM.INFO.*", func(*nats.Msg) { questions <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	b.flush()
	got := within(t, func(ctx context.Context) (messages.Record, error) { return c.Wait(ctx, "web") })
	b.looked(1)
	v.shut.Lock()
	for len(questions) > 0 {
		<-questions
	}
	for range 3 {
		select {
		case <-questions: // each but the last was given up
		case <-time.After(patience):
			t.Error("nobody asks any more")
		}
	}
	b.store(done("web", ""))
	v.shut.Unlock()
	if w := <-got; w.err != nil || w.rec.State != messages.StateCompleted {
		t.Errorf("got %+v, %v", w.rec, w.err)
	}
}
