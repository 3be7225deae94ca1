package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/checker"
)

// lane kills the processes of one kind, one after the other.
type lane struct {
	victims    []*daemon
	away, back checker.Kind
	every      time.Duration // between a return and the next kill, about
	long       int           // percent of the absences that outlast the time-to-live
	random     *rand.Rand
}

// torment kills workers, placers and the NATS server, and drains nodes, each in a
// lane of its own, until ctx ends, and then waits until all are back.
func (f *fleet) torment(ctx context.Context, seed uint64, long int) {
	lanes := []*lane{
		{victims: f.workers[:2], away: checker.NodeAway, back: checker.NodeBack, every: 3 * time.Second, long: long},
		{victims: f.workers[2:], away: checker.NodeAway, back: checker.NodeBack, every: 4 * time.Second, long: long},
		{victims: f.placers, away: checker.PlacerAway, back: checker.PlacerBack, every: 4 * time.Second},
		{victims: []*daemon{f.server}, away: checker.BusAway, back: checker.BusBack, every: 8 * time.Second},
	}
	var wg sync.WaitGroup
	for i, l := range lanes {
		l.random = rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for l.pause(ctx) {
				if err := f.killOne(l); err != nil {
					f.t.Error(err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		f.drains(ctx, &lane{every: 5 * time.Second, random: rand.New(rand.NewPCG(seed, uint64(len(lanes))))})
	})
	wg.Wait()
}

// pause waits for a while around the lane's pace; it is false when ctx ends.
func (l *lane) pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(l.every/2 + time.Duration(l.random.Int64N(int64(l.every)))):
		return true
	}
}

// killOne kills one process, leaves it dead for a while, and starts it again.
func (f *fleet) killOne(l *lane) error {
	victim := l.victims[l.random.IntN(len(l.victims))]
	dead := time.Duration(l.random.Int64N(int64(ttl / 3)))
	if l.random.IntN(100) < l.long {
		dead += ttl + 2*heartbeat
	}
	if victim.ended() {
		return fmt.Errorf("%s ended by itself; see %s", victim.name, victim.log)
	}
	f.t.Logf("%s kill -9 %s, for %v", time.Now().UTC().Format("15:04:05.000"), victim.name, dead.Round(time.Millisecond))
	victim.kill()
	f.note(l.away, checker.Event{Node: victim.name, Note: "kill -9"})
	time.Sleep(dead)
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	if err := victim.start(ctx); err != nil {
		return err
	}
	f.note(l.back, checker.Event{Node: victim.name})
	return nil
}
