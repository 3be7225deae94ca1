package placer_test

import (
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// onFarNode is a job with `on_partition: stop` that runs on a node of which
// nothing but the lease is heard.
func (y *yard) onFarNode(job string) messages.Record {
	y.t.Helper()
	rec := messages.Record{
		V: 1, Job: service(job), State: messages.StateRunning, Healthy: true, Node: "far", Attempt: 1, Starts: 1,
		Named: true, Created: time.Now(), HealthySince: time.Now(),
	}
	rec.Job.Policy.OnPartition = messages.PartitionStop
	if _, err := y.client.Bucket(root.Stream(messages.BucketJobs)).Create(y.t.Context(), job, encoded(y.t, rec)); err != nil {
		y.t.Fatal(err)
	}
	return rec
}

func (y *yard) renew(node string) {
	y.t.Helper()
	y.append(root.Lease(node), encoded(y.t, messages.Lease{V: 1, Node: node, Incarnation: "j.1", At: time.Now(), TTL: messages.Duration(10 * time.Second)}))
}

// lease is what stands on a node's subject.
func (y *yard) lease(node string) messages.Lease {
	y.t.Helper()
	last, err := y.client.Last(y.t.Context(), root.Stream(messages.StreamLeases), root.Lease(node))
	if err != nil {
		y.t.Fatal(err)
	}
	return decoded[messages.Lease](y, last.Message)
}

func TestAJobThatMustNotRunTwiceWaitsForTheLease(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		y.box("linux-1")
		y.onFarNode("web")
		var last time.Time
		for range 20 {
			y.renew("far")
			last = time.Now()
			time.Sleep(3 * time.Second)
		}
		if r := y.record("web"); r.State != messages.StateRunning || r.Node != "far" {
			t.Fatalf("with a lease that stands it is %s on %s: %s", r.State, r.Node, story(r))
		}
		y.holds("it has moved", time.Minute, func() bool { return y.record("web").Node == "linux-1" })
		if took := time.Since(last); took < 10*time.Second || took > 15*time.Second {
			t.Errorf("it moved %v after the last renewal", took)
		}
		if by := y.lease("far").LostBy; by != "p1" && by != "p2" {
			t.Errorf("declared lost by %q", by)
		}
	})
}

// A node that never had a lease runs nothing under one.
func TestAJobThatMustNotRunTwiceMovesFromANodeWithoutALease(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		y.onFarNode("web")
		y.holds("it has moved", time.Minute, func() bool { return y.record("web").Node == "linux-1" })
		if l := y.lease("far"); l.LostBy != "p1" {
			t.Errorf("the lease is %+v", l)
		}
	})
}

// A placer that cannot declare moves nothing; the next one declares.
func TestAPlacerKilledBeforeItDeclaresALeaseOver(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		c.set(root.Lease(""), true)
		kill := y.placer("p1", c.with)
		y.box("linux-1")
		y.onFarNode("web")
		y.renew("far")
		time.Sleep(2 * time.Minute)
		if r := y.record("web"); r.Node != "far" || r.State != messages.StateRunning {
			t.Fatalf("it is %s on %s", r.State, r.Node)
		}
		kill()
		y.placer("p2")
		y.holds("it has moved", time.Minute, func() bool { return y.record("web").Node == "linux-1" })
		if l := y.lease("far"); l.LostBy != "p2" {
			t.Errorf("the lease is %+v", l)
		}
	})
}

// Where another placer has declared a lease to be over nothing is waited for;
// what a stranger puts there is no lease.
func TestADeclaredLeaseIsOver(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.box("linux-1")
		y.append(root.Lease("far"), encoded(t, messages.Lease{V: 1, Node: "far", At: time.Now(), LostBy: "p7"}))
		y.placer("p1")
		rec := y.onFarNode("web")
		y.holds("it has moved", time.Minute, func() bool { return y.record("web").Node == "linux-1" })
		if took := time.Since(rec.Created); took > 15*time.Second || y.lease("far").LostBy != "p1" {
			t.Errorf("it took %v, the lease is %+v", took, y.lease("far"))
		}
		y.append(root.Lease("far-2"), []byte("junk"))
		if _, err := y.client.Request(t.Context(), bus.Message{Subject: root.PlacerVerb(messages.PlacerInfo)}); err != nil {
			t.Error(err)
		}
	})
}

// The real thing: a worker that is cut off stops the job before another one
// starts it, and comes back.
func TestAJobThatMustNotRunTwiceNeverDoes(t *testing.T) {
	for name, end := range map[string]func(*box){
		"cut off": func(b *box) { b.conn.Cut() },
		"burnt":   (*box).burn,
	} {
		t.Run(name, func(t *testing.T) {
			inYard(t, func(t *testing.T, y *yard) {
				y.placer("p1")
				y.placer("p2")
				one := y.box("linux-1")
				job := service("web")
				job.Policy.OnPartition, job.Spec.StopGrace = messages.PartitionStop, messages.Duration(time.Second)
				y.submit(job)
				y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
				two := y.box("linux-2")
				time.Sleep(20 * time.Second)
				end(one)
				once := func() {
					if one.runs("web")+two.runs("web") > 1 {
						t.Error("it runs twice")
					}
				}
				y.holds("it has moved", 2*time.Minute, func() bool {
					once()
					return y.is("web", messages.StateRunning, "linux-2")() && two.runs("web") == 1
				})
				if name == "burnt" {
					one.start()
				} else {
					one.conn.Mend()
				}
				y.holds("nothing is owed", time.Minute, func() bool { once(); return len(y.record("web").Fences) == 0 })
				if r := y.record("web"); one.runs("web") != 0 || two.runs("web") != 1 || r.Node != "linux-2" {
					t.Errorf("%d and %d run: %s", one.runs("web"), two.runs("web"), story(r))
				}
			})
		})
	}
}
