package compose_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The images that every machine serves to itself.
const (
	linuxImage   = "127.0.0.1:5000/toybox:linux"
	windowsImage = "127.0.0.1:5000/toybox:windows"
)

// newJob is a job that runs the words.
func newJob(id, image string, words ...string) messages.Job {
	return messages.Job{
		V: messages.Version, ID: id, Op: messages.OpRun, Created: time.Now(),
		Spec:   &messages.Spec{Image: image, Args: words, StopGrace: messages.Duration(time.Second)},
		Policy: messages.Policy{MaxAttempts: 100},
	}
}

// task is the n-th task of a run.
func task(n int) messages.Job {
	switch n % 8 {
	case 0:
		return newJob(fmt.Sprintf("hello-%d", n), linuxImage, "echo", "hello")
	case 1:
		return newJob(fmt.Sprintf("hello-windows-%d", n), windowsImage, "echo", "hello")
	case 2: // the node that is tried first cannot run it
		j := newJob(fmt.Sprintf("shunted-%d", n), linuxImage, "echo", "shunted")
		j.Target = windows[n/8%len(windows)]
		return j
	case 3: // it may not be done twice, and may be lost with its node
		return newJob(fmt.Sprintf("once-%d", n), linuxImage, "sleep", "3")
	case 4:
		j := newJob(fmt.Sprintf("idempotent-%d", n), linuxImage, "sleep", "4")
		j.Policy.Idempotent, j.Policy.OnNodeLoss = true, messages.LossReschedule
		return j
	case 5:
		j := newJob(fmt.Sprintf("moved-%d", n), linuxImage, "sleep", "2")
		j.Policy.OnNodeLoss = messages.LossReschedule
		return j
	case 6:
		return newJob(fmt.Sprintf("long-windows-%d", n), windowsImage, "sleep", "2")
	default:
		return newJob(fmt.Sprintf("fails-%d", n), linuxImage, "sh", "-c", "sleep 0.5; exit 3")
	}
}

// services are what runs all the time: each kind of machine has some, and some
// may never be in two places. Those are for machines that are never paused: the
// containers of a paused one are frozen with it and go on when it does, for as
// long as its worker needs to end them, and nothing on it can prevent that.
func services() []messages.Job {
	var all []messages.Job
	add := func(count int, name, image string, partition messages.OnPartition) {
		for n := range count {
			j := newJob(fmt.Sprintf("%s-%d", name, n), image, "sleep", "36000")
			j.Kind = messages.KindService
			j.Policy.OnNodeLoss, j.Policy.OnPartition = messages.LossReschedule, partition
			if partition == messages.PartitionStop {
				j.Requires.Labels = map[string]string{"paused": "never"}
			}
			all = append(all, j)
		}
	}
	add(6, "web", linuxImage, messages.PartitionKeep)
	add(2, "only-one", linuxImage, messages.PartitionStop)
	add(3, "web-windows", windowsImage, messages.PartitionKeep)
	return all
}

// give submits a job until it is acknowledged, which may take a while when a
// NATS server is away.
func (f *fleet) give(ctx context.Context, job messages.Job) error {
	for {
		f.history.Add(checker.Event{At: time.Now(), Kind: checker.Submitted, Job: job.ID, Body: &job})
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := f.client.Submit(within, job)
		cancel()
		if err == nil {
			f.history.Add(checker.Event{At: time.Now(), Kind: checker.Acknowledged, Job: job.ID})
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("job %s was not taken: %w", job.ID, err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// traffic gives one task after the other until it is told to stop; every fifth
// is given again.
type traffic struct {
	stop chan struct{}
	done sync.WaitGroup
	err  error // when it is done
	jobs int
}

func (f *fleet) startTraffic() *traffic {
	t := &traffic{stop: make(chan struct{})}
	t.done.Go(func() {
		pace := time.NewTicker(300 * time.Millisecond)
		defer pace.Stop()
		for {
			select {
			case <-t.stop:
				return
			case <-pace.C:
			}
			job := task(t.jobs)
			t.jobs++
			t.err = errors.Join(t.err, f.give(f.t.Context(), job))
			if t.jobs%5 == 0 {
				t.err = errors.Join(t.err, f.give(f.t.Context(), job))
			}
		}
	})
	return t
}

func (t *traffic) end() error {
	close(t.stop)
	t.done.Wait()
	return t.err
}

// cancel asks for the end of a job until that is acknowledged.
func (f *fleet) cancel(ctx context.Context, job string) error {
	f.history.Add(checker.Event{At: time.Now(), Kind: checker.CancelAsked, Job: job})
	for {
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, err := f.js.Publish(within, root.Cancel(job), []byte(`{"v":1,"reason":"the run is over"}`))
		cancel()
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

// live are the records of the jobs that have not ended, from the bucket itself:
// what a placer has is a copy.
func (f *fleet) live() ([]messages.Record, error) {
	ctx := f.within(10 * time.Second)
	bucket, err := f.js.KeyValue(ctx, root.Stream(messages.BucketJobs))
	if err != nil {
		return nil, err
	}
	keys, err := bucket.Keys(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, err
	}
	records := []messages.Record{}
	for _, key := range keys {
		entry, err := bucket.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var r messages.Record
		if err := json.Unmarshal(entry.Value(), &r); err != nil {
			return nil, fmt.Errorf("record %s: %w", key, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// settled tells whether the fleet has come to rest: all that was submitted has
// been taken, and nothing is live but these services, which run and owe nothing.
func (f *fleet) settled(services []string) (bool, string) {
	stream, err := f.js.Stream(f.within(10*time.Second), root.Stream(messages.StreamIntake))
	if err != nil {
		return false, err.Error()
	}
	if waiting := stream.CachedInfo().State.Msgs; waiting > 0 {
		return false, fmt.Sprintf("%d messages are in intake", waiting)
	}
	live, err := f.live()
	if err != nil {
		return false, err.Error()
	}
	for _, r := range live {
		service := slices.Contains(services, r.Job.ID)
		if !service || r.State != messages.StateRunning || !r.Healthy || len(r.Fences) > 0 || r.Successor != nil {
			return false, fmt.Sprintf("%s is %s on %s (attempt %d, %d revokes owed): %s",
				r.Job.ID, r.State, r.Node, r.Attempt, len(r.Fences), r.Reason)
		}
	}
	if len(live) != len(services) {
		return false, fmt.Sprintf("%d services live, want %d", len(live), len(services))
	}
	return true, ""
}
