package placer_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// mutedBus does not say, for a while, what was last said of a job.
type mutedBus struct {
	bus.Bus
	muted *atomic.Bool
}

func (b mutedBus) Last(ctx context.Context, stream, subject string) (bus.Stored, error) {
	if b.muted.Load() && strings.HasPrefix(subject, root.Outcome("linux-1", "")) {
		return bus.Stored{}, errors.New("not just now")
	}
	return b.Bus.Last(ctx, stream, subject)
}

// A placer looks at the records of a node that is back just once. What it could
// not do then, since the bus was away, is not forgotten.
func TestAnotherJournalIsFoundOutAlthoughTheBusWasAway(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		var muted atomic.Bool
		y.placer("p1", func(b bus.Bus) bus.Bus { return mutedBus{b, &muted} })
		one := y.box("linux-1")
		y.submit(service("web"))
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		muted.Store(true)
		one.burn()
		one.start()
		time.Sleep(30 * time.Second)
		muted.Store(false)
		y.holds("it runs anew", 5*time.Minute, func() bool { return one.runs("web") == 1 })
		if r := y.record("web"); r.Attempt != 2 {
			t.Errorf("it is %s, attempt %d: %s", r.State, r.Attempt, story(r))
		}
	})
}

// That a node answers with another journal is no reason to do a task again of
// which the one before has said that it is done.
func TestATaskThatIsDoneIsNotDoneAgainByAnotherJournal(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		rec := messages.Record{V: 1, Job: task("web", "sleep", "60"), State: messages.StateAssigned, Node: "linux-1", Attempt: 1, Created: time.Now(), Journal: "before"}
		if _, err := y.client.Bucket(root.Stream(messages.BucketJobs)).Create(t.Context(), "web", encoded(t, rec)); err != nil {
			t.Fatal(err)
		}
		y.append(root.Outcome("linux-1", "web"), encoded(t, messages.Outcome{
			V: 1, Job: "web", Op: messages.OpRun, Node: "linux-1", Attempt: 1, Seq: 2, Status: messages.StatusCompleted, At: time.Now(),
		}))
		y.deaf("p1")
		time.Sleep(5 * time.Second) // the command is sent again before the node is known to be alone under its name
		one := y.box("linux-1")
		y.holds("it has ended", 5*time.Minute, func() bool {
			if one.runs("web") > 0 {
				t.Fatal("it is done again")
			}
			return y.said("web")()
		})
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 1 {
			t.Errorf("it is %s: %s", r.State, story(r))
		}
		y.holds("no record is left", time.Minute, func() bool { return len(y.left()) == 0 })
	})
}

// A declaration of an earlier loss says nothing of what was handed over since:
// the node may know it, take the lease anew, and then hear of the job.
func TestALeaseIsDeclaredOverForEachLoss(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.box("linux-1")
		y.append(root.Lease("far"), encoded(t, messages.Lease{V: 1, Node: "far", At: time.Now(), LostBy: "p7"}))
		y.placer("p1")
		y.onFarNode("web")
		y.holds("it has moved", time.Minute, func() bool { return y.record("web").Node == "linux-1" })
		if l := y.lease("far"); l.LostBy != "p1" {
			t.Errorf("it has moved by the declaration of %s", l.LostBy)
		}
	})
}

// A claim that is made when its job has just been cancelled is not left behind.
func TestAClaimOfAJobThatHasEndedIsLetGo(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		slow := &slowNames{}
		slow.pause.Store(int64(3 * time.Second))
		y.placer("p1", func(b bus.Bus) bus.Bus { return slowBus{b, slow} })
		job := service("web")
		y.submit(job)
		time.Sleep(time.Second)
		y.cancel("web")
		y.holds("it is cancelled", time.Minute, y.said("web"))
		time.Sleep(time.Minute)
		if _, err := y.client.Bucket(root.Stream(messages.BucketNames)).Get(t.Context(), "web.0"); !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("the name of a job that has ended is still claimed (%v)", err)
		}
	})
}

// spyBus notes where the lease stood, as the commands to a node say.
type spyBus struct {
	bus.Bus
	stood *atomic.Value
}

func (b spyBus) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	if m.Subject == root.Command("linux-1") {
		b.stood.Store(m.Header[messages.HeaderLease])
	}
	return b.Bus.Request(ctx, m)
}

func TestACommandSaysWhereTheLeaseStood(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		var stood atomic.Value
		y.placer("p1", func(b bus.Bus) bus.Bus { return spyBus{b, &stood} })
		one := y.box("linux-1")
		job := service("web")
		job.Policy.OnPartition, job.Spec.StopGrace = messages.PartitionStop, messages.Duration(time.Second)
		y.submit(job)
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		if got := stood.Load(); got != "0" {
			t.Errorf("before the first lease it says %q", got)
		}
		y.cancel("web")
		y.holds("it has ended", time.Minute, func() bool { return one.runs("web") == 0 })
		y.append(root.Lease("linux-1"), encoded(t, messages.Lease{V: 1, Node: "linux-1", At: time.Now(), LostBy: "p7"}))
		last, err := y.client.Last(t.Context(), root.Stream(messages.StreamLeases), root.Lease("linux-1"))
		if err != nil {
			t.Fatal(err)
		}
		job.ID, job.Service = "web-2", "web-2"
		y.submit(job)
		time.Sleep(time.Second)
		if got := stood.Load(); got != strconv.FormatUint(last.Sequence, 10) {
			t.Errorf("it says %q; want %d", got, last.Sequence)
		}
		y.holds("it runs, once the node has the lease anew", 2*time.Minute, y.is("web-2", messages.StateRunning, "linux-1"))
		y.submit(task("keeps", "true"))
		y.holds("it is done", time.Minute, y.said("keeps"))
		if got := stood.Load(); got != "" {
			t.Errorf("of a job without a lease it says %q", got)
		}
	})
}

// slowBus takes its time to claim a name.
type slowBus struct {
	bus.Bus
	names *slowNames
}

type slowNames struct {
	bus.Bucket
	pause atomic.Int64
}

func (b slowBus) Bucket(name string) bus.Bucket {
	bucket := b.Bus.Bucket(name)
	if name != root.Stream(messages.BucketNames) {
		return bucket
	}
	b.names.Bucket = bucket
	return b.names
}

func (n *slowNames) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	time.Sleep(time.Duration(n.pause.Load()))
	return n.Bucket.Create(ctx, key, value)
}
