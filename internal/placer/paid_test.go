package placer_test

import (
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A job ends owing revokes, which are paid; then an answer to one of them comes
// once more, as it does when it was sent twice.
func TestARevokeThatIsPaidIsNotOwedAgain(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		conns := map[string]*membus.Conn{}
		for _, node := range []string{"linux-1", "linux-2"} {
			y.worker(node, linux, func(c *worker.Config) { conns[node] = c.Bus.(*membus.Conn) })
		}
		job := task("web", "sleep", "3600")
		job.Policy.Idempotent = true
		y.submit(job)
		for range conns {
			time.Sleep(20 * time.Second)
			conns[y.record("web").Node].Cut()
		}
		y.cancel("web")
		time.Sleep(20 * time.Second)
		if word := y.ended("web"); word.State != messages.StateCancelled || len(word.Fences) != 2 {
			t.Fatalf("it is %s, owing %v; the test wants it to owe two nodes", word.State, word.Fences)
		}
		for _, conn := range conns {
			conn.Mend()
		}
		time.Sleep(time.Minute)
		if left := y.left(); len(left) != 0 {
			t.Fatalf("records left: %v", left)
		}
		stopped := true
		again, err := messages.Encode(messages.Outcome{
			V: messages.Version, Job: "web", Op: messages.OpRevoke, Node: "linux-1", Attempt: 2, Seq: 9,
			Status: messages.StatusRevoked, At: time.Now(), Result: &messages.Result{Stopped: &stopped},
		})
		if err != nil {
			t.Fatal(err)
		}
		before := y.revision()
		y.append(root.Outcome("linux-1", "web"), again)
		time.Sleep(time.Minute)
		if n := y.revision() - before - 2; n != 0 {
			t.Errorf("its record was written %d times more", n)
		}
	})
}

// revision is that of the bucket of jobs, which rises by one for the question
// and by one for taking it back.
func (y *yard) revision() uint64 {
	y.t.Helper()
	bucket := y.client.Bucket(root.Stream(messages.BucketJobs))
	revision, err := bucket.Create(y.t.Context(), "question", []byte("{}"))
	if err == nil {
		err = bucket.Delete(y.t.Context(), "question", revision)
	}
	if err != nil {
		y.t.Fatal(err)
	}
	return revision
}
