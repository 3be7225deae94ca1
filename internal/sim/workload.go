package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// workload makes jobs of all kinds, from the seed.
type workload struct {
	rng   *rand.Rand
	nodes []string
	n     int
}

func (w *workload) id(kind string) string {
	w.n++
	return fmt.Sprintf("%s-%d", kind, w.n)
}

// one is true in one of so many cases.
func (w *workload) one(in int) bool { return w.rng.IntN(in) == 0 }

func (w *workload) node() string { return w.nodes[w.rng.IntN(len(w.nodes))] }

// task is a job that ends by itself.
func (w *workload) task() messages.Job {
	seconds := fmt.Sprint(1 + w.rng.IntN(20))
	cmds := [][]string{
		{"true"}, {"echo", "hello"}, {"sleep", seconds}, {"sleep", seconds},
		{"sh", "-c", "sleep " + seconds + "; echo done"}, {"exit", "3"}, {"false"},
	}
	job := messages.Job{
		V: messages.Version, ID: w.id("task"), Op: messages.OpRun,
		Spec: &messages.Spec{Image: "sim/tool:1", Entrypoint: cmds[w.rng.IntN(len(cmds))]},
	}
	switch w.rng.IntN(8) {
	case 0:
		job.Spec.Image = "sim/win:1"
	case 1, 2:
		job.Spec.Image = "sim/both:1"
	}
	w.policy(&job)
	if w.one(6) {
		job.Target = w.node()
	}
	if w.one(8) {
		job.Timeout = messages.Duration(time.Duration(1+w.rng.IntN(8)) * time.Second)
	}
	if w.one(10) {
		job.Policy.Deadline = messages.Duration(time.Duration(5+w.rng.IntN(60)) * time.Second)
	}
	if w.one(10) {
		job.Requires.Prefer = map[string]string{"zone": "b"}
	}
	if w.one(4) {
		job.Spec.Restart = &messages.Restart{Policy: messages.RestartOnFailure, Max: 1 + w.rng.IntN(3)}
	}
	return job
}

// policy chooses how hard the fleet is to try.
func (w *workload) policy(job *messages.Job) {
	p := &job.Policy
	p.Idempotent, p.RetryExit = w.one(4), w.one(4)
	if w.one(2) {
		p.OnNodeLoss = []messages.OnNodeLoss{messages.LossReschedule, messages.LossWait, messages.LossFail}[w.rng.IntN(3)]
	}
	if w.one(8) {
		p.MaxAttempts = 1 + w.rng.IntN(3)
	}
	if w.one(20) {
		p.Reroute = messages.RerouteNever
	}
	if w.one(5) {
		p.OnPartition = messages.PartitionStop
		job.Spec.StopGrace = messages.Duration(time.Second) // so that it fits into the lease
	}
	if w.one(3) {
		job.Spec.Resources = messages.Resources{CPUMilli: int64(100 * (1 + w.rng.IntN(12))), Memory: 64 << 20}
	}
}

// service is a job that runs until it is asked to end.
func (w *workload) service() messages.Job {
	job := messages.Job{
		V: messages.Version, ID: w.id("service"), Op: messages.OpRun, Kind: messages.KindService,
		Spec: &messages.Spec{Image: "sim/server:1", StopGrace: messages.Duration(2 * time.Second)},
	}
	w.policy(&job)
	job.Policy.MaxAttempts = 0
	if w.one(3) { // it ends by itself, again and again
		job.Spec.Image = "sim/tool:1"
		job.Spec.Entrypoint = []string{"sh", "-c", fmt.Sprintf("sleep %d; exit 3", 1+w.rng.IntN(15))}
	}
	if w.one(2) {
		policies := []messages.RestartPolicy{messages.RestartAlways, messages.RestartOnFailure, messages.RestartUnlessStopped}
		job.Spec.Restart = &messages.Restart{Policy: policies[w.rng.IntN(len(policies))], Max: w.rng.IntN(6)}
	}
	if w.one(2) {
		job.Spec.Health = w.health()
	}
	return job
}

// version is a service under a name that others have too, which it takes over.
func (w *workload) version() messages.Job {
	job := w.service()
	job.ID = w.id("version")
	job.Service, job.Args.Replace = fmt.Sprintf("shared-%d", w.rng.IntN(2)), true
	return job
}

// health is a check of any kind; one in eight never passes.
func (w *workload) health() *messages.Health {
	checks := []messages.Health{
		{HTTP: &messages.HealthHTTP{Port: 80}}, {TCP: &messages.HealthTCP{Port: 80}},
		{Command: []string{"true"}}, {Command: []string{"sleep", "1"}},
	}
	check := checks[w.rng.IntN(len(checks))]
	if w.one(8) {
		check = messages.Health{Command: []string{"sh", "-c", "echo never; exit 1"}}
	}
	check.Interval = messages.Duration(time.Duration(1+w.rng.IntN(4)) * time.Second)
	check.Retries = 1 + w.rng.IntN(3)
	check.StartGrace = messages.Duration(time.Duration(w.rng.IntN(10)) * time.Second)
	return &check
}

// misfit is a job that no node can take.
func (w *workload) misfit() messages.Job {
	job := messages.Job{V: messages.Version, ID: w.id("misfit"), Op: messages.OpRun, Spec: &messages.Spec{Image: "sim/arm:1"}}
	switch w.rng.IntN(3) {
	case 0:
		job.Spec.Image, job.Requires.Labels = "sim/tool:1", map[string]string{"disk": "ssd"}
	case 1:
		job.Spec.Image, job.Spec.Resources.CPUMilli = "sim/tool:1", 10*total.CPUMilli
	}
	return job
}

// on is an op on a service's container.
func (w *workload) on(op messages.Op, container string) messages.Job {
	job := messages.Job{V: messages.Version, ID: w.id(string(op)), Op: op, Container: container}
	switch op {
	case messages.OpExec:
		cmds := [][]string{{"echo", "hello"}, {"sleep", "2"}, {"exit", "2"}}
		job.Args.Cmd = cmds[w.rng.IntN(len(cmds))]
		job.Args.Env = map[string]string{execJob: job.ID}
		job.Policy.Idempotent = w.one(4)
	case messages.OpRemove:
		job.Args.Force = true
	}
	return job
}
