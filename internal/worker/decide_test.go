package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// decisions counts how often it is asked where a container is to run.
type decisions struct {
	worker.Runtime
	asked atomic.Int64
}

func (d *decisions) Decide(ctx context.Context, service string, spec *messages.Spec, auth *messages.RegistryAuth) (runtime.Decision, error) {
	d.asked.Add(1)
	return d.Runtime.Decide(ctx, service, spec, auth)
}

func TestWhatAdmissionDecidedIsNotDecidedAgain(t *testing.T) {
	for _, c := range []struct {
		image string
		asked int64
		said  string
	}{
		{"team/tool:1", 1, "1.2 completed"},
		{"team/nobody-knows:1", 2, "1.2 failed"}, // admission found out nothing
	} {
		inRig(t, func(t *testing.T, r *rig) {
			r.stop()
			count := &decisions{Runtime: r.cfg.Runtime}
			r.bus = &faultyBus{Bus: r.server.Connect("worker")}
			r.cfg.Bus, r.cfg.Runtime = r.bus, count
			var err error
			if r.w, err = worker.Start(t.Context(), r.cfg); err != nil {
				t.Fatal(err)
			}
			job := placed(task("web", "true"), 1)
			job.Spec.Image = c.image
			r.send(job)
			time.Sleep(time.Minute)
			if asked, said := count.asked.Load(), r.said("web"); asked != c.asked || said != c.said {
				t.Errorf("%s: decided %d times and said %s; want %d and %s", c.image, asked, said, c.asked, c.said)
			}
		})
	}
}
