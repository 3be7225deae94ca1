package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// order is a job and how it is given to the fleet.
type order struct {
	job    messages.Job
	direct string // the node it is sent to; "": by intake
	twice  bool
}

// mix is the n-th job of a run.
func (f *fleet) mix(n int, random *rand.Rand) order {
	node := f.workers[random.IntN(len(f.workers))].name
	run := func(name, script string) order {
		return order{twice: n%4 == 0, job: messages.Job{
			V: messages.Version, ID: fmt.Sprintf("%s-%d", name, n), Op: messages.OpRun,
			Spec: &messages.Spec{Image: f.image, Args: []string{"sh", "-c", script}},
		}}
	}
	var o order
	switch n % 10 {
	case 0, 1:
		o = run("short", "echo hello")
	case 2:
		o = run("fails", "sleep 0.3; exit 3")
	case 3:
		o = run("targeted", "sleep 0.2")
		o.job.Target = node
	case 4, 5:
		o = run("long", fmt.Sprintf("sleep %.1f", 2+3*random.Float64()))
	case 6:
		o = run("service", "sleep 3600")
		o.job.Kind = messages.KindService
		o.job.Policy.MaxAttempts = 100
	case 7:
		o = run("idempotent", fmt.Sprintf("sleep %.1f", 1+2*random.Float64()))
		o.job.Policy.Idempotent, o.job.Policy.MaxAttempts = true, 100
		o.job.Policy.OnNodeLoss = messages.LossReschedule
	case 8:
		o = run("direct", "sleep 0.5; exit 4")
		o.direct = node
	case 9:
		o = run("retried", "sleep 0.2; exit 5")
		o.job.Policy.RetryExit, o.job.Policy.MaxAttempts = true, 2
		o.job.Policy.Backoff = messages.Backoff{Min: messages.Duration(200 * time.Millisecond), Max: messages.Duration(time.Second)}
	}
	return o
}

// execIn is the one exec in a service's container, on the node where it runs.
func execIn(service, node string) order {
	return order{job: messages.Job{
		V: messages.Version, ID: "exec-in-" + service, Op: messages.OpExec, Target: node,
		Container: messages.ContainerName(service, 0), Args: messages.Args{Cmd: []string{"sleep", "0.5"}},
	}}
}

// give submits an order until it is acknowledged, which may take a while when
// NATS is away; and again, when it is to be sent twice.
func (f *fleet) give(ctx context.Context, o order) error {
	data, err := json.Marshal(o.job)
	if err != nil {
		return err
	}
	for acknowledged := 0; ; {
		f.note(checker.Submitted, checker.Event{Job: o.job.ID, Node: o.direct, Body: &o.job})
		ok, err := f.send(ctx, o, data)
		if ok {
			f.note(checker.Acknowledged, checker.Event{Job: o.job.ID})
			if acknowledged++; acknowledged == 2 || !o.twice {
				return nil
			}
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("job %s was not taken: %w", o.job.ID, err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// send sends an order once; ok is true when it was acknowledged.
func (f *fleet) send(ctx context.Context, o order, data []byte) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if o.direct == "" {
		_, err := f.js.Publish(ctx, "shunt.job."+o.job.ID, data)
		return err == nil, err
	}
	reply, err := f.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: "shunt.cmd." + o.direct, Data: data})
	if err != nil {
		return false, err
	}
	var outcome messages.Outcome
	if err := json.Unmarshal(reply.Data, &outcome); err != nil {
		return false, err
	}
	if outcome.Status == messages.StatusRejected && outcome.Error != nil {
		return false, outcome.Error
	}
	return true, nil
}

// cancel asks for the end of a job until that is acknowledged.
func (f *fleet) cancel(ctx context.Context, job string) error {
	f.note(checker.CancelAsked, checker.Event{Job: job})
	for {
		within, stop := context.WithTimeout(ctx, 3*time.Second)
		_, err := f.js.Publish(within, "shunt.cancel."+job, []byte(`{"v":1,"reason":"the run is over"}`))
		stop()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the cancel of %s was not taken: %w", job, err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}
