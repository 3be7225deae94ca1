package messages

import "time"

// WorkerVerb is a request that a worker answers on `shunt.node.<node>.<verb>`.
type WorkerVerb string

// The workers' verbs.
const (
	VerbList    WorkerVerb = "list"
	VerbInspect WorkerVerb = "inspect"
	VerbState   WorkerVerb = "state"
	VerbStats   WorkerVerb = "stats"
	VerbImages  WorkerVerb = "images"
	VerbLogs    WorkerVerb = "logs"
	VerbExec    WorkerVerb = "exec"
	VerbWait    WorkerVerb = "wait"
	VerbEvents  WorkerVerb = "events"
	VerbPeers   WorkerVerb = "peers"
	VerbInfo    WorkerVerb = "info"
	VerbAttempt WorkerVerb = "attempt"
	VerbDrain   WorkerVerb = "drain"
	VerbUndrain WorkerVerb = "undrain"
)

// WorkerVerbs lists the workers' verbs in the order of the contract.
func WorkerVerbs() []WorkerVerb {
	return []WorkerVerb{
		VerbList, VerbInspect, VerbState, VerbStats, VerbImages, VerbLogs, VerbExec,
		VerbWait, VerbEvents, VerbPeers, VerbInfo, VerbAttempt, VerbDrain, VerbUndrain,
	}
}

// Page asks for one page of a list; a reply's Next is the next one's Cursor.
type Page struct {
	Limit  int    `json:"limit,omitzero"` // default DefaultPageSize, at most MaxPageSize
	Cursor string `json:"cursor,omitzero"`
}

// ListRequest asks a worker for its containers: the running ones, or all.
type ListRequest struct {
	V   int  `json:"v"`
	All bool `json:"all,omitzero"`
	Page
}

// ListReply is a page of containers.
type ListReply struct {
	V          int             `json:"v"`
	Containers []ContainerInfo `json:"containers"`
	Next       string          `json:"next,omitzero"`
}

// ContainerInfo is a container in a list.
type ContainerInfo struct {
	Container string    `json:"container"`
	Job       string    `json:"job,omitzero"`
	Attempt   uint64    `json:"attempt,omitzero"`
	State     string    `json:"state"`
	Healthy   bool      `json:"healthy,omitzero"`
	Image     string    `json:"image"`
	Runtime   string    `json:"runtime,omitzero"`
	Created   time.Time `json:"created,omitzero"`
}

// ContainerRequest names one container: the request of inspect and state.
type ContainerRequest struct {
	V         int    `json:"v"`
	Container string `json:"container"`
}

// InspectReply is everything a worker knows of a container.
type InspectReply struct {
	V int `json:"v"`
	ContainerInfo
	ExitCode    *int              `json:"exit_code,omitzero"`
	ExitReason  ExitReason        `json:"exit_reason,omitzero"`
	PID         int               `json:"pid,omitzero"`
	IP          string            `json:"ip,omitzero"`
	StartedAt   time.Time         `json:"started_at,omitzero"`
	FinishedAt  time.Time         `json:"finished_at,omitzero"`
	ImageDigest string            `json:"image_digest,omitzero"`
	Platform    Platform          `json:"platform,omitzero"`
	Ports       []Port            `json:"ports,omitzero"`
	Networks    []Network         `json:"networks,omitzero"`
	Health      *HealthStatus     `json:"health,omitzero"`
	Labels      map[string]string `json:"labels,omitzero"`
	Service     string            `json:"service,omitzero"`
	Replica     uint32            `json:"replica,omitzero"`
	Spec        *Spec             `json:"spec,omitzero"`
}

// Network is a network a container is on.
type Network struct {
	Network string   `json:"network"`
	Aliases []string `json:"aliases,omitzero"`
	IPv4    string   `json:"ipv4,omitzero"`
}

// HealthStatus is what a container's health check found.
type HealthStatus struct {
	Status        string `json:"status"` // starting | healthy | unhealthy
	FailingStreak int    `json:"failing_streak,omitzero"`
	LastOutput    string `json:"last_output,omitzero"`
}

// StateReply is where a container stands.
type StateReply struct {
	V          int        `json:"v"`
	State      string     `json:"state"`
	ExitCode   *int       `json:"exit_code,omitzero"`
	ExitReason ExitReason `json:"exit_reason,omitzero"`
	PID        int        `json:"pid,omitzero"`
	IP         string     `json:"ip,omitzero"`
}

// StatsRequest asks for a container's figures, once or as frames.
type StatsRequest struct {
	V         int    `json:"v"`
	Container string `json:"container"`
	Stream    bool   `json:"stream,omitzero"`
}

// Stats are a container's figures.
type Stats struct {
	V            int       `json:"v"`
	CPUUsageUsec uint64    `json:"cpu_usage_usec"`        // CPU time used, microseconds
	MemoryBytes  uint64    `json:"memory_bytes"`          // in use now
	MemoryLimit  uint64    `json:"memory_limit,omitzero"` // bytes; 0: none
	PIDs         uint64    `json:"pids"`
	IO           IOStats   `json:"io"`
	Network      NetStats  `json:"network"`
	At           time.Time `json:"at"`
}

// IOStats are bytes moved to and from block devices.
type IOStats struct {
	ReadBytes  uint64 `json:"read_bytes"`
	WriteBytes uint64 `json:"write_bytes"`
}

// NetStats are bytes moved over the container's network interfaces.
type NetStats struct {
	RxBytes uint64 `json:"rx_bytes"`
	TxBytes uint64 `json:"tx_bytes"`
}

// ImagesRequest asks a worker for its images.
type ImagesRequest struct {
	V int `json:"v"`
	Page
}

// ImagesReply is a page of images.
type ImagesReply struct {
	V      int         `json:"v"`
	Images []ImageInfo `json:"images"`
	Next   string      `json:"next,omitzero"`
}

// ImageInfo is an image that a node holds.
type ImageInfo struct {
	Reference string     `json:"reference"`
	Digest    string     `json:"digest,omitzero"`
	Size      int64      `json:"size,omitzero"` // bytes
	Platforms []Platform `json:"platforms,omitzero"`
	Runtime   string     `json:"runtime,omitzero"`
}

// LogsRequest asks for the output of a container, or of a job's container, as
// frames.
type LogsRequest struct {
	V         int       `json:"v"`
	Container string    `json:"container,omitzero"`
	Job       string    `json:"job,omitzero"`
	Tail      *int      `json:"tail,omitzero"` // last lines; left out: all
	Follow    bool      `json:"follow,omitzero"`
	Since     time.Time `json:"since,omitzero"`
}

// ExecRequest starts a program in a running container; the answer is frames.
type ExecRequest struct {
	V         int               `json:"v"`
	Container string            `json:"container"`
	Cmd       []string          `json:"cmd"`
	TTY       bool              `json:"tty,omitzero"`
	Stdin     bool              `json:"stdin,omitzero"`
	Env       map[string]string `json:"env,omitzero"`
	Workdir   string            `json:"workdir,omitzero"`
	User      string            `json:"user,omitzero"`
}

// ExecSession is the first frame of an interactive exec.
type ExecSession struct {
	Session string `json:"session"`
}

// ExecResize sets the size of a session's terminal.
type ExecResize struct {
	V    int    `json:"v"`
	Rows uint16 `json:"rows"`
	Cols uint16 `json:"cols"`
}

// ExecSignal sends a signal to a session's program.
type ExecSignal struct {
	V      int    `json:"v"`
	Signal string `json:"signal"`
}

// ExecCredit lets the worker send that many bytes more; 0 is a beat.
type ExecCredit struct {
	V     int   `json:"v"`
	Bytes int64 `json:"bytes"`
}

// WaitCondition is what a wait waits for.
type WaitCondition string

// The conditions of a wait.
const (
	WaitNotRunning WaitCondition = "not_running"
	WaitNextExit   WaitCondition = "next_exit"
	WaitRemoved    WaitCondition = "removed"
)

// WaitRequest asks to be answered when a container meets a condition.
type WaitRequest struct {
	V         int           `json:"v"`
	Container string        `json:"container"`
	Condition WaitCondition `json:"condition,omitzero"` // default: not_running
	Timeout   Duration      `json:"timeout,omitzero"`
}

// WaitReply is how a container ended.
type WaitReply struct {
	V          int        `json:"v"`
	ExitCode   int        `json:"exit_code"`
	ExitReason ExitReason `json:"exit_reason"`
	Signal     int        `json:"signal,omitzero"`
	FinishedAt time.Time  `json:"finished_at,omitzero"`
}

// EventsRequest asks for a worker's events as frames.
type EventsRequest struct {
	V     int         `json:"v"`
	Kinds []EventKind `json:"kinds,omitzero"` // none: all
}

// PeersRequest asks a worker for its table of peers.
type PeersRequest struct {
	V int `json:"v"`
	Page
}

// NodesReply is a page of nodes: the reply of a worker's peers and a placer's
// nodes.
type NodesReply struct {
	V     int        `json:"v"`
	Nodes []NodeInfo `json:"nodes"`
	Next  string     `json:"next,omitzero"`
}

// NodeState is what a table thinks of a node.
type NodeState string

// The states of a node.
const (
	NodeAlive       NodeState = "alive"
	NodeDraining    NodeState = "draining"
	NodeLost        NodeState = "lost"
	NodeLeft        NodeState = "left"
	NodeQuarantined NodeState = "quarantined"
)

// NodeInfo is a node's last heartbeat and how long ago it came.
type NodeInfo struct {
	Capabilities
	Age   Duration  `json:"age"`
	State NodeState `json:"state,omitzero"`
}

// InfoReply is a worker about itself.
type InfoReply struct {
	V           int               `json:"v"`
	Node        string            `json:"node"`
	Version     string            `json:"version"`
	Incarnation string            `json:"incarnation"`
	Runtimes    []RuntimeInfo     `json:"runtimes"`
	Policy      map[string]string `json:"policy,omitzero"`
	XKey        string            `json:"xkey,omitzero"`
}

// RuntimeInfo is one of a node's runtimes.
type RuntimeInfo struct {
	Name      string     `json:"name"`
	Kind      string     `json:"kind"` // containerd | memory | remote
	Version   string     `json:"version,omitzero"`
	Platforms []Platform `json:"platforms"`
	Error     string     `json:"error,omitzero"` // why it has no platforms just now
	// Warnings are what containers are without there, such as a seccomp filter.
	Warnings []string `json:"warnings,omitzero"`
}

// AttemptRequest asks a worker what became of an attempt. Attempt 0 is the
// newest it knows.
type AttemptRequest struct {
	V       int    `json:"v"`
	Job     string `json:"job"`
	Attempt uint64 `json:"attempt,omitzero"`
}

// DrainRequest asks a worker to take no more work, or a placer to ask Node for
// it.
type DrainRequest struct {
	V       int      `json:"v"`
	Node    string   `json:"node,omitzero"`
	Timeout Duration `json:"timeout,omitzero"`
}

// DrainReply is how far a drain is.
type DrainReply struct {
	V        int    `json:"v"`
	Node     string `json:"node,omitzero"`
	Draining bool   `json:"draining"`
	Left     int    `json:"left"` // jobs that still have to go
}

// EmptyRequest is the request of verbs that take nothing.
type EmptyRequest struct {
	V int `json:"v"`
}
