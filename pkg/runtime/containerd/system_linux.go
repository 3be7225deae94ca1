package containerd

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// runcRuntime is the shim, by the name that containerd knows it by.
const runcRuntime = "io.containerd.runc.v2"

// undoTime is how long what must not be cut off between may take.
const undoTime = 30 * time.Second

// slowCalls are none: what the shim does takes no longer than the kernel's part.
var slowCalls []string

// system is what a Runtime has on Linux alone.
type system struct {
	confined    sync.Once
	confinement confinement
}

func (r *Runtime) sweepSystem(context.Context) error { return r.sweepBinds() }

// shimFor is the shim that runs a container, and what it is told.
func (r *Runtime) shimFor(spec *messages.Spec) (containers.RuntimeInfo, error) {
	runc, err := r.runcFor(spec)
	if err != nil {
		return containers.RuntimeInfo{}, err
	}
	shim, err := typeurl.MarshalAny(&options.Options{BinaryName: runc, Root: r.cfg.runcRoot()})
	if err != nil {
		return containers.RuntimeInfo{}, fmt.Errorf("shim options: %w", err)
	}
	return containers.RuntimeInfo{Name: runcRuntime, Options: shim}, nil
}

// execIDOf is the id of the executed program that a process of a container is.
func execIDOf(info any) string {
	details, ok := info.(*options.ProcessDetails)
	if !ok {
		return ""
	}
	return details.ExecID
}

// setStreams gives the task's output to a logger, which the shim starts, and its
// input to who writes into the container's FIFO.
func (r *Runtime) setStreams(req *tasks.CreateTaskRequest, spec *messages.Spec) error {
	output := (&url.URL{
		Scheme:   "binary",
		Path:     r.cfg.LoggerPath,
		RawQuery: url.Values{"log": {r.logs.live(req.ContainerID)}}.Encode(), // one key: the shim does not keep an order
	}).String()
	req.Stdout, req.Stderr = output, output
	return r.makeStdin(req.ContainerID, spec)
}

// outputTaken is an error when nobody reads what the container's task writes.
func (r *Runtime) outputTaken(cid string) error {
	if !logger.Started(r.logs.live(cid)) {
		return fmt.Errorf("its logger, %s log, did not start: %w", r.cfg.LoggerPath, errdefs.ErrFailedPrecondition)
	}
	return nil
}

// finishLog returns when the log of a container that has ended is complete.
func (r *Runtime) finishLog(ctx context.Context, cid string) error {
	return logger.Finish(ctx, r.logs.live(cid))
}

// execStreams are the FIFOs of a program that is executed.
func (r *Runtime) execStreams(stdin io.Reader, stdout, stderr io.Writer, terminal bool) cio.Creator {
	streams := []cio.Opt{cio.WithFIFODir(r.fifoDir()), cio.WithStreams(stdin, stdout, stderr)}
	if terminal {
		streams = append(streams, cio.WithTerminal)
	}
	return cio.NewCreator(streams...)
}

func (r *Runtime) fifoDir() string { return filepath.Join(r.cfg.StateDir, "fifo") }

// dialerOf connects from inside a container, whose program has this pid.
func (r *Runtime) dialerOf(_ string, pid int) (dialer, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialIn(ctx, "/proc/"+strconv.Itoa(pid)+"/ns/net", network, address)
	}, nil
}

// setExecUser looks the user of an executed program up in the container, whose
// own program has this pid.
func setExecUser(p *specs.Process, pid int, user string) error {
	known, err := accountsIn("/proc/" + strconv.Itoa(pid) + "/root")
	if err != nil {
		return fmt.Errorf("the container's users: %w: %w", errdefs.ErrUnavailable, err)
	}
	p.Env = slices.DeleteFunc(p.Env, func(e string) bool { return strings.HasPrefix(e, "HOME=") })
	return lookUpUser("user", p, user, nil, known)
}
