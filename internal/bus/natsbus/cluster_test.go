package natsbus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestClusterLosesAServer writes, consumes and compares-and-sets on a cluster of
// three with three replicas, while the server that leads goes and comes back:
// what was acknowledged is there, and no compare-and-set was done twice.
func TestClusterLosesAServer(t *testing.T) {
	c := startCluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	l := &load{t: t, ctx: ctx, done: make(chan struct{}), taken: map[string]bool{}}
	defer func() { cancel(); l.running.Wait() }()
	placer, worker := connect(t, c.url()), connect(t, c.url())
	await(t, func() bool { return placer.Ensure(ctx, bus.NewLayout("shunt", 3, 256<<20)) == nil })
	l.consume(placer)
	l.run(func() { l.appendMany(worker) })
	for i := range 2 {
		l.run(func() { l.addMany(placer, fmt.Sprint("writer-", i)) })
	}

	const some = 50
	l.progress(some)
	var leads int
	await(t, func() bool { leads = c.leaderOf("KV_SHUNT_JOBS"); return leads >= 0 })
	c.stop(leads)
	l.progress(some)
	c.start(leads)
	await(t, func() bool {
		return c.nodes[leads].JetStreamIsStreamCurrent(server.DEFAULT_GLOBAL_ACCOUNT, "KV_SHUNT_JOBS")
	})
	l.progress(some)
	close(l.done)
	l.running.Wait()
	l.check(connect(t, c.url()))
}

// load is what writes to a cluster, and what was acknowledged.
type load struct {
	t       *testing.T
	ctx     context.Context
	done    chan struct{} // closed: come to an end
	running sync.WaitGroup
	steps   [3]atomic.Int64 // of each writer

	mu       sync.Mutex
	appended []string // bodies that were acknowledged, in order
	added    []string
	taken    map[string]bool // bodies that came out of intake
}

func (l *load) run(f func()) { l.running.Go(f) }

func (l *load) ended() bool {
	select {
	case <-l.done:
		return true
	case <-l.ctx.Done():
		return true
	default:
		return false
	}
}

// progress waits until each writer has done n things more.
func (l *load) progress(n int64) {
	l.t.Helper()
	for i := range l.steps {
		from := l.steps[i].Load()
		await(l.t, func() bool { return l.steps[i].Load() >= from+n })
	}
}

func (l *load) consume(b *natsbus.Bus) {
	_, err := b.Consume(l.ctx, bus.Consumer{Stream: "SHUNT_INTAKE", Name: bus.ConsumerIntake, AckWait: 2 * time.Second},
		func(d bus.Delivery) {
			l.mu.Lock()
			l.taken[string(d.Message().Data)] = true
			l.mu.Unlock()
			ctx, cancel := context.WithTimeout(l.ctx, time.Second)
			defer cancel()
			_ = d.Ack(ctx) // one that fails comes again
		})
	must(l.t, err)
}

// tries repeats something until it succeeds.
func (l *load) tries(do func(context.Context) error) {
	for l.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(l.ctx, 2*time.Second)
		err := do(ctx)
		cancel()
		if err == nil {
			return
		}
		select {
		case <-l.ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (l *load) appendMany(b *natsbus.Bus) {
	for i := 0; !l.ended(); i++ {
		body := strconv.Itoa(i)
		for _, subject := range []string{"shunt.job.j", "shunt.outcome.n."} {
			l.tries(func(ctx context.Context) error {
				_, err := b.Append(ctx, bus.Message{Subject: subject + body, Data: []byte(body),
					Header: bus.Header{messages.HeaderMsgID: body}})
				return err
			})
		}
		l.mu.Lock()
		l.appended = append(l.appended, body)
		l.mu.Unlock()
		l.steps[0].Add(1)
	}
}

// addMany adds words to the text of a key that others add to as well. Whether a
// write that was not acknowledged took effect shows when it is read.
func (l *load) addMany(b *natsbus.Bus, who string) {
	k := b.Bucket("SHUNT_JOBS")
	for i := 0; !l.ended(); i++ {
		word := fmt.Sprint(who, ".", i)
		l.tries(func(ctx context.Context) error { return add(ctx, k, word) })
		l.mu.Lock()
		l.added = append(l.added, word)
		l.mu.Unlock()
		l.steps[1+int(who[len(who)-1]-'0')].Add(1)
	}
}

func add(ctx context.Context, k bus.Bucket, word string) error {
	e, err := k.Get(ctx, "text")
	if errors.Is(err, bus.ErrNotFound) {
		_, err = k.Create(ctx, "text", []byte(word))
		return err
	}
	if err != nil || slices.Contains(strings.Fields(string(e.Value)), word) {
		return err
	}
	_, err = k.Update(ctx, "text", fmt.Append(e.Value, " ", word), e.Revision)
	return err
}

func (l *load) check(b *natsbus.Bus) {
	await(l.t, func() bool { // all that was taken is acknowledged
		for _, err := range b.All(l.ctx, "SHUNT_INTAKE", ">") {
			must(l.t, err)
			return false
		}
		return true
	})
	stored := map[string]int{} // more than once is no loss: it was not acknowledged the first time
	for m, err := range b.All(l.ctx, "SHUNT_OUTCOMES", ">") {
		must(l.t, err)
		stored[string(m.Data)]++
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, body := range l.appended {
		if !l.taken[body] {
			l.t.Errorf("job %s was acknowledged, and never taken out", body)
		}
		if stored[body] == 0 {
			l.t.Errorf("outcome %s was acknowledged, and is not there", body)
		}
	}
	e, err := b.Bucket("SHUNT_JOBS").Get(l.ctx, "text")
	must(l.t, err)
	is := strings.Fields(string(e.Value))
	slices.Sort(is)
	slices.Sort(l.added)
	if !slices.Equal(is, l.added) {
		l.t.Errorf("the key has %d words, %d were added:\n%q\n%q", len(is), len(l.added), is, l.added)
	}
	l.t.Logf("%d jobs and outcomes, %d compare-and-sets", len(l.appended), len(l.added))
}
