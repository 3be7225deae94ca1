package runtime

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

type (
	// ImageInfo means the same here and on the wire.
	ImageInfo = messages.ImageInfo
	// Stats mean the same here and on the wire.
	Stats = messages.Stats
)

// ContainerID identifies a container on its node: a service's replica.
type ContainerID struct {
	Service string
	Replica uint32
}

// String is the container's name, `<service>-rep-<replica>`.
func (id ContainerID) String() string { return messages.ContainerName(id.Service, id.Replica) }

// ParseContainerID reads what String writes.
func ParseContainerID(name string) (ContainerID, bool) {
	service, replica, ok := messages.ParseContainerName(name)
	return ContainerID{Service: service, Replica: replica}, ok
}

// Description says what a runtime is.
type Description struct {
	Kind    string // containerd | memory | composite; at the far end of a pipe: what is there
	Version string
	// Warnings are what containers are without on this machine, and why.
	Warnings []string
}

// Owner is the job that a container belongs to; runtimes keep it in labels of
// their own, so that a restarted worker learns its containers again.
type Owner struct {
	Job     string
	Attempt uint64
}

// CreateOptions go beside the spec.
type CreateOptions struct {
	Owner Owner
	// Platform to take from an image that has several; the zero Platform lets
	// the runtime take its preferred one.
	Platform messages.Platform
	// Auth is for the registries of volumes' copies, where they are that of the
	// image; nil: the node's own credentials.
	Auth *messages.RegistryAuth
}

// SyncOptions say more about SyncVolumes.
type SyncOptions struct {
	// Copy is a registry reference, with a tag, for one more copy of the
	// container's only named volume; "": none.
	Copy string
	Auth *messages.RegistryAuth // as in CreateOptions
}

// RemoveOptions say how much goes.
type RemoveOptions struct {
	Force   bool // kill it first if it runs
	Volumes bool // its anonymous volumes too
}

// PullOptions say how an image is fetched.
type PullOptions struct {
	Policy   messages.PullPolicy    // "": if_not_present
	Auth     *messages.RegistryAuth // nil: the node's own credentials
	Platform messages.Platform      // zero: the runtime's preferred one
	// Progress, if set, is called as the pull goes on, from one goroutine at a
	// time; it must not block. What was there already counts as done; of an image
	// that is there nothing is told.
	Progress func(PullProgress) `json:"-"`
}

// PullProgress is how far a pull is.
type PullProgress struct {
	Layers, LayersDone int
	Bytes, BytesDone   int64 // known so far
}

// PruneResult is what a prune took away.
type PruneResult struct {
	Deleted        []string
	SpaceReclaimed int64 // bytes
}

// ImageLayer is one step of an image's history.
type ImageLayer struct {
	Created   time.Time
	CreatedBy string
	Comment   string
	Size      int64 // bytes; 0 for steps that add no files
}

// ImageMatch is an image that a search found.
type ImageMatch struct {
	Name, Description string
}

// Phase is where a container stands in its life.
type Phase string

// The phases.
const (
	PhasePending      Phase = "pending"      // created, not started
	PhaseInitializing Phase = "initializing" // being started
	PhaseRunning      Phase = "running"
	PhaseStopping     Phase = "stopping" // told to end, not ended
	PhaseExited       Phase = "exited"   // ended; ExitCode says how
	PhaseFailed       Phase = "failed"   // never ran, or the runtime lost it; Reason says why
)

// Ended tells whether nothing of the container runs any more.
func (p Phase) Ended() bool { return p == PhaseExited || p == PhaseFailed }

// State is a container's phase and what belongs to it.
type State struct {
	Phase    Phase
	ExitCode int    // when exited
	Reason   string // when failed
}

// Container is a container in a list.
type Container struct {
	ID          ContainerID
	Owner       Owner
	Name        string // a second name, from Rename
	Image       string
	ImageDigest string
	Platform    messages.Platform
	State       State
	Runtime     string // the member of a Composite that holds it
	Labels      map[string]string
	CreatedAt   time.Time
	StartedAt   time.Time // zero: never
	FinishedAt  time.Time // zero: not yet
}

// Details is all that a runtime knows of a container.
type Details struct {
	Container
	Spec       *messages.Spec
	ExitReason messages.ExitReason
	PID        int
	IP         string
	Ports      []messages.Port
	Networks   []messages.Network
}

// WaitOutcome is how a container ended.
type WaitOutcome struct {
	ExitCode   int // of a signal: 128 + its number
	Reason     messages.ExitReason
	Signal     int       // 0: none
	FinishedAt time.Time // zero: not known
}

// Stream is where output went.
type Stream string

// The output streams.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// LogEntry is a piece of a container's output: a line as it was written, its
// newline included, or a part of one that is too long for one piece.
type LogEntry struct {
	At      time.Time // when the runtime received it
	Stream  Stream
	Message []byte
}

// LogOptions select output.
type LogOptions struct {
	Tail   int       // the last lines; negative: all
	Since  time.Time // zero: from the beginning
	Follow bool
}

// ExecOptions are a program to run in a container.
type ExecOptions struct {
	Cmd     []string
	Env     map[string]string
	Workdir string
	User    string
	TTY     bool
	Stdin   bool
}

// ExecResult is what a program left.
type ExecResult struct {
	ExitCode       int
	Stdout, Stderr []byte // each at most messages.MaxCapturedBytes
	Truncated      bool   // either had more
}

// ExecEvent is a piece of output, or the end.
type ExecEvent struct {
	Stream Stream
	Data   []byte
	Exit   *int // set on the last event alone
}

// Process is a row of Top.
type Process struct {
	PID     int
	Command string
}

// FileChange is a path that differs from the image.
type FileChange struct {
	Path string
	Kind string // added | modified | deleted
}
