package messages

import "time"

// Status is what an Outcome says of an attempt.
type Status string

// The statuses.
const (
	StatusAccepted    Status = "accepted"      // journaled; the worker owes an outcome
	StatusRunning     Status = "running"       // a service is up
	StatusCompleted   Status = "completed"     // done
	StatusFailed      Status = "failed"        // done, and not well
	StatusRouteToPeer Status = "route_to_peer" // not here; Route says why
	StatusInterrupted Status = "interrupted"   // a crash hit a step that must not be repeated
	StatusRevoked     Status = "revoked"       // stopped and fenced
	StatusRejected    Status = "rejected"      // the message itself is bad
)

// Statuses lists every status.
func Statuses() []Status {
	return []Status{
		StatusAccepted, StatusRunning, StatusCompleted, StatusFailed,
		StatusRouteToPeer, StatusInterrupted, StatusRevoked, StatusRejected,
	}
}

// Ends tells whether an attempt says no more after this status.
func (s Status) Ends() bool { return s != StatusAccepted && s != StatusRunning }

// Outcome is what a worker says of a job's attempt. Seq rises within (Job,
// Attempt); it counts only when Node and Attempt are the record's.
type Outcome struct {
	V       int       `json:"v"`
	Job     string    `json:"job"`
	Op      Op        `json:"op,omitzero"`
	Node    string    `json:"node"`
	Attempt uint64    `json:"attempt"`
	Seq     uint64    `json:"seq"`
	Status  Status    `json:"status"`
	At      time.Time `json:"at"`

	Route  *RouteToPeer `json:"route_to_peer,omitzero"`
	Error  *Error       `json:"error,omitzero"`
	Result *Result      `json:"result,omitzero"`

	// JobBody comes with the `accepted` and the `route_to_peer` of a direct
	// command, so that placers which never saw the job can adopt it.
	JobBody *Job `json:"job_body,omitzero"`

	// Fingerprint comes with JobBody: of the Job as it was sent.
	Fingerprint string `json:"fingerprint,omitzero"`
}

// Healthy tells whether the outcome says that a service runs and is healthy.
// Where the node does not say, it is: it has no check.
func (o *Outcome) Healthy() bool {
	r := o.Result
	return o.Status == StatusRunning && (r == nil || r.Healthy == nil || *r.Healthy)
}

// MsgID is the `Nats-Msg-Id` of an outcome: `<node>/<job>/<attempt>/<seq>`.
func (o *Outcome) MsgID() string {
	return joinID(o.Node, o.Job, o.Attempt, o.Seq)
}

// RefuseCode is why a node refused a job.
type RefuseCode string

// The codes of a refusal.
const (
	RefusePlatform  RefuseCode = "platform"
	RefuseOSVersion RefuseCode = "os_version"
	RefuseCapacity  RefuseCode = "capacity"
	RefuseDraining  RefuseCode = "draining"
	RefuseLabels    RefuseCode = "labels"
	RefusePolicy    RefuseCode = "policy"
)

// RefuseCodes lists every code of a refusal.
func RefuseCodes() []RefuseCode {
	return []RefuseCode{
		RefusePlatform, RefuseOSVersion, RefuseCapacity, RefuseDraining, RefuseLabels, RefusePolicy,
	}
}

// Passing tells whether the refusal is forgotten when a newer heartbeat shows
// room; the others hold until the node's capabilities change.
func (c RefuseCode) Passing() bool { return c == RefuseCapacity || c == RefuseDraining }

// RouteToPeer is a refusal: what the job needs, and why it is not here.
type RouteToPeer struct {
	Service      string     `json:"service"`
	RequiredOS   OS         `json:"required_os,omitzero"`
	RequiredArch string     `json:"required_arch,omitzero"`
	Code         RefuseCode `json:"code"`
	Reason       string     `json:"reason"`
	Peers        []string   `json:"peers,omitzero"` // who could, as far as the node knows

	// Platforms is the whole set the image is made for, when it has several;
	// any one of them will do.
	Platforms []Platform `json:"platforms,omitzero"`
}

// ExitReason is why a container ended.
type ExitReason string

// The exit reasons; the exit code of a signal is 128 + its number.
const (
	ExitExited       ExitReason = "exited"
	ExitSignal       ExitReason = "signal"
	ExitOOMKilled    ExitReason = "oom_killed"
	ExitRuntimeError ExitReason = "runtime_error"
	ExitTimeout      ExitReason = "timeout"
)

// Result is what an op gave. Each op fills its own fields (see the contract's
// table) beside Runtime, StartedAt and FinishedAt.
type Result struct {
	Runtime    string    `json:"runtime,omitzero"` // which of the node's runtimes did it
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`

	Container   string        `json:"container,omitzero"`
	State       string        `json:"state,omitzero"`
	Healthy     *bool         `json:"healthy,omitzero"`  // of a service that runs; left out: it is
	Restarts    int           `json:"restarts,omitzero"` // of the container in this attempt, by its policy
	ExitCode    *int          `json:"exit_code,omitzero"`
	ExitReason  ExitReason    `json:"exit_reason,omitzero"`
	Changed     *bool         `json:"changed,omitzero"`
	Ports       []Port        `json:"ports,omitzero"`
	IP          string        `json:"ip,omitzero"`
	ImageDigest string        `json:"image_digest,omitzero"`
	Size        int64         `json:"size,omitzero"` // bytes
	Stdout      string        `json:"stdout,omitzero"`
	Stderr      string        `json:"stderr,omitzero"`
	Truncated   bool          `json:"truncated,omitzero"`
	Volumes     []VolumeBytes `json:"volumes,omitzero"`
	Deleted     []string      `json:"deleted,omitzero"`
	Reclaimed   int64         `json:"space_reclaimed,omitzero"` // bytes
	Stopped     *bool         `json:"stopped,omitzero"`
}

// VolumeBytes is a named volume and what it holds.
type VolumeBytes struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	// Copy is the registry reference that the data was copied to, Digest what is
	// there now; Reason is why it was not copied.
	Copy   string `json:"copy,omitzero"`
	Digest string `json:"digest,omitzero"`
	Reason string `json:"reason,omitzero"`
}
