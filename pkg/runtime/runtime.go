package runtime

import (
	"context"
	"io"
	"iter"
	"net/netip"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Runtime runs containers on one node, or on a machine at the end of a pipe.
type Runtime interface {
	Describer
	Images
	Lifecycle
	Inspector
	Runner
	Files
}

// Describer says what a runtime is and can run.
type Describer interface {
	// Platforms is what the runtime can run now, its preferred one first. It
	// may change while the runtime lives, and is an error of class Unavailable
	// while the runtime is away.
	Platforms(ctx context.Context) ([]messages.Platform, error)
	// Describe names the runtime's kind and version.
	Describe(ctx context.Context) (Description, error)
}

// Images are fetched, listed and thrown away.
type Images interface {
	// Pull fetches an image as its policy says, so that Create finds it. It is
	// NotFound when no registry (or, under PullNever, no store) has it.
	Pull(ctx context.Context, ref string, opts PullOptions) (ImageInfo, error)
	// ListImages is every image the runtime holds, in no order.
	ListImages(ctx context.Context) ([]ImageInfo, error)
	// RemoveImage drops a reference, and its content when nothing else uses
	// it. Without force an image in use is FailedPrecondition.
	RemoveImage(ctx context.Context, ref string, force bool) error
	// PruneImages drops the images that no container uses.
	PruneImages(ctx context.Context) (PruneResult, error)
	// TagImage gives the image source a second reference, target.
	TagImage(ctx context.Context, source, target string) error
	// ImageHistory is how the image was built, newest layer first.
	ImageHistory(ctx context.Context, ref string) ([]ImageLayer, error)
	// SearchImages asks the registries for names like term.
	SearchImages(ctx context.Context, term string, limit int) ([]ImageMatch, error)
	// SaveImages writes the images to w as one OCI archive.
	SaveImages(ctx context.Context, refs []string, w io.Writer) error
	// LoadImages reads what SaveImages wrote.
	LoadImages(ctx context.Context, r io.Reader) ([]ImageInfo, error)
	// ImportImage makes an image of one layer, ref, from a tar of its files.
	ImportImage(ctx context.Context, ref string, r io.Reader) (ImageInfo, error)
}

// Lifecycle makes containers, changes them and takes them away.
type Lifecycle interface {
	// Create makes a container from an image that is there, and does not start
	// it. A second Create of a live id is AlreadyExists and harms nothing; a
	// failed one leaves nothing behind. A spec this runtime cannot run is a
	// *RouteToPeerError; an image that is not there is NotFound.
	Create(ctx context.Context, id ContainerID, spec *messages.Spec, opts CreateOptions) error
	// Start runs the container's program. A running container is
	// FailedPrecondition; one that has exited starts again.
	Start(ctx context.Context, id ContainerID) error
	// Stop sends the container's stop signal, and KILL when it still runs
	// after timeout (0: at once; negative: the spec's grace). It returns when
	// the container has ended; stopping a stopped one does nothing.
	Stop(ctx context.Context, id ContainerID, timeout time.Duration) error
	// Kill sends a signal: a name with or without SIG, or "" for KILL. An
	// unknown one is InvalidArgument, a container that does not run
	// FailedPrecondition.
	Kill(ctx context.Context, id ContainerID, signal string) error
	// Remove takes the container away. A running one is FailedPrecondition
	// unless opts.Force. A failed Remove keeps the container's record, so that
	// it can be tried again.
	Remove(ctx context.Context, id ContainerID, opts RemoveOptions) error
	// Rename gives the container a second name; its id stays.
	Rename(ctx context.Context, id ContainerID, name string) error
	Pause(ctx context.Context, id ContainerID) error
	Unpause(ctx context.Context, id ContainerID) error
	// UpdateResources changes the limits of a container that exists.
	UpdateResources(ctx context.Context, id ContainerID, res messages.Resources) error
	// PruneContainers removes every container that has ended.
	PruneContainers(ctx context.Context) (PruneResult, error)
	// SyncVolumes makes what the container wrote to its named volumes durable,
	// and copies those to their registries that the spec names one for. It is
	// called after Stop and before Remove. When one cannot be copied the others
	// are, and that volume's Reason says why, beside the error.
	SyncVolumes(ctx context.Context, id ContainerID, opts SyncOptions) ([]messages.VolumeBytes, error)
}

// Inspector looks at containers.
type Inspector interface {
	// List is every container the runtime holds that shunt made, in no order.
	List(ctx context.Context) ([]Container, error)
	State(ctx context.Context, id ContainerID) (State, error)
	Inspect(ctx context.Context, id ContainerID) (Details, error)
	// Stats are the figures of a running container.
	Stats(ctx context.Context, id ContainerID) (Stats, error)
	// StatsStream is Stats again and again, until the container ends (then the
	// sequence ends), the context does, or the caller stops reading.
	StatsStream(ctx context.Context, id ContainerID, every time.Duration) iter.Seq2[Stats, error]
	// PID is the main process's id on the runtime's machine; 0 when none runs.
	PID(ctx context.Context, id ContainerID) (int, error)
	// IP is the container's address; the zero Addr when it has none.
	IP(ctx context.Context, id ContainerID) (netip.Addr, error)
	// PortOverride is the host port that stands for the container's first
	// published port when the spec left it open; 0 when there is none.
	PortOverride(ctx context.Context, id ContainerID) (uint16, error)
	// PortMappings are the published ports, each with its real host port.
	PortMappings(ctx context.Context, id ContainerID) ([]messages.Port, error)
	// NamespaceID is the GUID of a Windows container's network namespace; ""
	// elsewhere.
	NamespaceID(ctx context.Context, id ContainerID) (string, error)
	// Top is the container's processes.
	Top(ctx context.Context, id ContainerID) ([]Process, error)
	// Changes are the files that differ from the image's.
	Changes(ctx context.Context, id ContainerID) ([]FileChange, error)
}

// Runner works with a container's program and its output.
type Runner interface {
	// Wait blocks until the container does not run and is its exit code.
	Wait(ctx context.Context, id ContainerID) (int, error)
	// WaitOutcome blocks until the condition holds and says how the container
	// ended, even when that was while nobody watched.
	WaitOutcome(ctx context.Context, id ContainerID, until messages.WaitCondition) (WaitOutcome, error)
	// Logs are the container's output lines in the order they were written.
	// With Follow the sequence goes on until the container ends, the context
	// does, or the caller stops reading.
	Logs(ctx context.Context, id ContainerID, opts LogOptions) iter.Seq2[LogEntry, error]
	// Exec runs a program in the container to its end. A program that fails is
	// a result, not an error.
	Exec(ctx context.Context, id ContainerID, opts ExecOptions) (ExecResult, error)
	// ExecStream is Exec with its output as it comes: any number of output
	// events, then exactly one with Exit set, then the end.
	ExecStream(ctx context.Context, id ContainerID, opts ExecOptions) iter.Seq2[ExecEvent, error]
	// ExecSession is an Exec with input, and a terminal when opts.TTY. Its
	// caller must Close it.
	ExecSession(ctx context.Context, id ContainerID, opts ExecOptions) (ExecSession, error)
	// Probe makes a running container's health check once, from where the
	// container is, and for no longer than check.Timeout. A check that fails is
	// a verdict, not an error; an error says that it could not be made.
	Probe(ctx context.Context, id ContainerID, check messages.Health) (Verdict, error)
}

// Files moves files into and out of containers.
type Files interface {
	// CopyIn unpacks a tar stream under a directory of the container.
	CopyIn(ctx context.Context, id ContainerID, dir string, r io.Reader) error
	// CopyOut packs a path of the container into a tar stream.
	CopyOut(ctx context.Context, id ContainerID, path string, w io.Writer) error
	// Export is the container's whole file system as a tar stream.
	Export(ctx context.Context, id ContainerID, w io.Writer) error
	// Commit makes an image, ref, of the container's file system.
	Commit(ctx context.Context, id ContainerID, ref string) (ImageInfo, error)
}

// ExecSession is a program in a container with its input open. Its methods may
// be called from different goroutines.
type ExecSession interface {
	// Events are the program's output and, last, its exit. Read them once.
	Events() iter.Seq2[ExecEvent, error]
	// Write is the program's input; CloseWrite is its end of file.
	io.Writer
	CloseWrite() error
	// Resize sets the terminal's size, in characters.
	Resize(ctx context.Context, rows, cols uint16) error
	Signal(ctx context.Context, signal string) error
	// Close kills the program if it still runs and frees what it held.
	Close() error
}
