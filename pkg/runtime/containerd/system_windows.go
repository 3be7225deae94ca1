package containerd

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/runhcs"
)

// undoTime is how long what must not be cut off between may take: the shim takes
// up to 30 s to end a container, and as many for its virtual machine.
const undoTime = 90 * time.Second

// slowCalls are those that may take the same.
var slowCalls = []string{"Tasks/Kill", "Tasks/Delete"}

// system is what a Runtime has on Windows alone.
type system struct {
	outputs outputs
}

// imageUsers are none: a Windows container knows its users when it runs.
type imageUsers = struct{}

// sweepSystem takes up the output of what runs.
func (r *Runtime) sweepSystem(ctx context.Context) error { return r.resumeOutputs(ctx) }

// warnings are what containers are without on this machine.
func (r *Runtime) warnings() []string {
	if err := r.networks.CanConnect(true); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// shimFor is the shim that runs a container, and what it is told.
func (r *Runtime) shimFor(spec *messages.Spec) (containers.RuntimeInfo, error) {
	options, err := typeurl.MarshalAny(runhcs.Options(spec.Isolation))
	if err != nil {
		return containers.RuntimeInfo{}, fmt.Errorf("shim options: %w", err)
	}
	return containers.RuntimeInfo{Name: runhcs.Runtime, Options: options}, nil
}

// execIDOf is the id of the executed program that a process of a container is.
func execIDOf(info any) string {
	_, exec := runhcs.Program(info)
	return exec
}

// overrideEnv puts changes over those of the same name.
func overrideEnv(env []string, changes map[string]string) []string {
	return runhcs.Environment(env, changes)
}

// setExecUser names the user of an executed program; Windows looks it up.
func setExecUser(p *specs.Process, _ int, user string) error {
	p.User = specs.User{Username: user}
	return nil
}

// signalOf is none: an exit code on Windows is the program's own, or an NTSTATUS.
func signalOf(int) int { return 0 }

// oomKilled is never: a program that gets no more memory is not killed for it.
func oomKilled(containers.Container) (bool, error) { return false, nil }
