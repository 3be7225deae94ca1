package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// blind is a runtime that cannot tell beforehand where a container will run.
type blind struct{ worker.Runtime }

func (blind) Decide(context.Context, string, *messages.Spec, *messages.RegistryAuth) (runtime.Decision, error) {
	return runtime.Decision{Unknown: errors.New("the registry is away")}, nil
}

// Where no guard could end a container, none is started that would have to be
// ended: the job is refused, or, where it was found out late, routed on.
func TestNothingUnderTheLeaseRunsWithoutAGuard(t *testing.T) {
	unguarded := func(c *worker.Config) { c.Unguarded = []string{"primary"} }
	inRig(t, func(t *testing.T, r *rig) {
		o := r.send(stops("web", "serve"))
		if o.Status != messages.StatusRouteToPeer || o.Route.Code != messages.RefusePolicy || !strings.Contains(o.Route.Reason, "the primary runtime") {
			t.Errorf("answered %s %+v", o.Status, o.Route)
		}
		if o := r.send(placed(task("keeps", "true"), 1)); o.Status != messages.StatusAccepted {
			t.Errorf("another job: %s", o.Status)
		}
	}, unguarded)
	inRig(t, func(t *testing.T, r *rig) {
		r.stop()
		r.bus = &faultyBus{Bus: r.server.Connect("worker")}
		r.cfg.Bus, r.cfg.Runtime = r.bus, blind{r.cfg.Runtime}
		var err error
		if r.w, err = worker.Start(t.Context(), r.cfg); err != nil {
			t.Fatal(err)
		}
		if o := r.send(stops("web", "serve")); o.Status != messages.StatusAccepted {
			t.Errorf("while it is not known where it runs: %s %v", o.Status, o.Route)
		}
		time.Sleep(time.Minute)
		if o := r.last("web"); o.Status != messages.StatusRouteToPeer || o.Route.Code != messages.RefusePolicy {
			t.Errorf("it ends %s %+v %v", o.Status, o.Route, o.Error)
		}
		if got := r.containers(); got != "" {
			t.Errorf("it leaves %q", got)
		}
	}, unguarded)
}
