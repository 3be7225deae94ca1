package messages

import "time"

// Kind says when a job is done.
type Kind string

const (
	// KindTask is done when its container exits.
	KindTask Kind = "task"
	// KindService stays running, healthy or not, until it is stopped.
	KindService Kind = "service"
)

// Job is what a scheduler asks of the fleet. Only ID, Op and what the op needs
// are required; a scheduler leaves out Attempt and Refused.
type Job struct {
	V       int    `json:"v"`
	ID      string `json:"id"`
	Op      Op     `json:"op"`
	Kind    Kind   `json:"kind,omitzero"`    // default: task
	Service string `json:"service,omitzero"` // default: the id
	Replica uint32 `json:"replica,omitzero"`

	// Container names an existing container, for ops that work on one; without
	// it the container is the one that Service and Replica name.
	Container string `json:"container,omitzero"`

	Spec     *Spec    `json:"spec,omitzero"`
	Args     Args     `json:"args,omitzero"`
	Target   string   `json:"target,omitzero"` // the node that is tried first
	Requires Requires `json:"requires,omitzero"`
	Timeout  Duration `json:"timeout,omitzero"` // limit of a task's run; 0: none
	Retain   Duration `json:"retain,omitzero"`  // how long an ended container is kept
	Policy   Policy   `json:"policy,omitzero"`

	Created time.Time `json:"created,omitzero"`
	Attempt uint64    `json:"attempt,omitzero"` // 0: not placed by a placer
	Refused []Refusal `json:"refused,omitzero"`

	// RefusedDropped counts the refusals that MaxRefused has pushed out.
	RefusedDropped int `json:"refused_dropped,omitzero"`
}

// Requires narrows the nodes a job may run on, beyond its platform.
type Requires struct {
	Labels map[string]string `json:"labels,omitzero"` // must all be there, with these values
	Prefer map[string]string `json:"prefer,omitzero"` // better, if there
}

// Refusal remembers a node that said no, so that it is not asked again while
// the reason holds.
type Refusal struct {
	Node    string     `json:"node"`
	Attempt uint64     `json:"attempt"`
	Code    RefuseCode `json:"code"`
	Reason  string     `json:"reason"`
	At      time.Time  `json:"at,omitzero"`
}

// EffectiveKind is Kind with its default.
func (j *Job) EffectiveKind() Kind {
	if j.Kind == "" {
		return KindTask
	}
	return j.Kind
}

// EffectiveService is Service with its default, the id.
func (j *Job) EffectiveService() string {
	if j.Service == "" {
		return j.ID
	}
	return j.Service
}

// ContainerName is the container the job makes or works on.
func (j *Job) ContainerName() string {
	switch {
	case j.Container != "":
		return j.Container
	case j.Args.Container != "":
		return j.Args.Container
	}
	return ContainerName(j.EffectiveService(), j.Replica)
}

// Platform is the platform the job demands; the zero Platform demands nothing.
func (j *Job) Platform() Platform {
	if j.Spec == nil || j.Spec.Platform == nil {
		return Platform{}
	}
	return *j.Spec.Platform
}

// Refuse adds a refusal, dropping and counting the oldest beyond MaxRefused.
func (j *Job) Refuse(r Refusal) {
	refused := append(append([]Refusal(nil), j.Refused...), r)
	if extra := len(refused) - MaxRefused; extra > 0 {
		refused = refused[extra:]
		j.RefusedDropped += extra
	}
	j.Refused = refused
}
