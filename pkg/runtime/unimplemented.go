package runtime

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Unimplemented answers every operation with NotImplemented. Adapters embed it
// and override what they can do, so that a new operation of the port is an
// honest refusal in each of them from the first day.
type Unimplemented struct {
	Kind string // names the runtime in errors
}

var _ Runtime = Unimplemented{}

func (u Unimplemented) no(op string) error {
	return fmt.Errorf("the %s runtime cannot %s: %w", u.Kind, op, errdefs.ErrNotImplemented)
}

func noSeq[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}

func (u Unimplemented) Platforms(context.Context) ([]messages.Platform, error) {
	return nil, u.no("name its platforms")
}

func (u Unimplemented) Describe(context.Context) (Description, error) {
	return Description{}, u.no("describe itself")
}

func (u Unimplemented) Pull(context.Context, string, PullOptions) (ImageInfo, error) {
	return ImageInfo{}, u.no("pull images")
}

func (u Unimplemented) ListImages(context.Context) ([]ImageInfo, error) {
	return nil, u.no("list images")
}

func (u Unimplemented) RemoveImage(context.Context, string, bool) error {
	return u.no("remove images")
}

func (u Unimplemented) PruneImages(context.Context) (PruneResult, error) {
	return PruneResult{}, u.no("prune images")
}

func (u Unimplemented) TagImage(context.Context, string, string) error {
	return u.no("tag images")
}

func (u Unimplemented) ImageHistory(context.Context, string) ([]ImageLayer, error) {
	return nil, u.no("tell an image's history")
}

func (u Unimplemented) SearchImages(context.Context, string, int) ([]ImageMatch, error) {
	return nil, u.no("search images")
}

func (u Unimplemented) SaveImages(context.Context, []string, io.Writer) error {
	return u.no("save images")
}

func (u Unimplemented) LoadImages(context.Context, io.Reader) ([]ImageInfo, error) {
	return nil, u.no("load images")
}

func (u Unimplemented) ImportImage(context.Context, string, io.Reader) (ImageInfo, error) {
	return ImageInfo{}, u.no("import images")
}

func (u Unimplemented) Create(context.Context, ContainerID, *messages.Spec, CreateOptions) error {
	return u.no("create containers")
}

func (u Unimplemented) Start(context.Context, ContainerID) error { return u.no("start containers") }

func (u Unimplemented) Stop(context.Context, ContainerID, time.Duration) error {
	return u.no("stop containers")
}

func (u Unimplemented) Kill(context.Context, ContainerID, string) error {
	return u.no("signal containers")
}

func (u Unimplemented) Remove(context.Context, ContainerID, RemoveOptions) error {
	return u.no("remove containers")
}

func (u Unimplemented) Rename(context.Context, ContainerID, string) error {
	return u.no("rename containers")
}

func (u Unimplemented) Pause(context.Context, ContainerID) error { return u.no("pause containers") }

func (u Unimplemented) Unpause(context.Context, ContainerID) error {
	return u.no("unpause containers")
}

func (u Unimplemented) UpdateResources(context.Context, ContainerID, messages.Resources) error {
	return u.no("update a container's resources")
}

func (u Unimplemented) PruneContainers(context.Context) (PruneResult, error) {
	return PruneResult{}, u.no("prune containers")
}

func (u Unimplemented) SyncVolumes(context.Context, ContainerID, SyncOptions) ([]messages.VolumeBytes, error) {
	return nil, u.no("sync volumes")
}

func (u Unimplemented) List(context.Context) ([]Container, error) {
	return nil, u.no("list containers")
}

func (u Unimplemented) State(context.Context, ContainerID) (State, error) {
	return State{}, u.no("tell a container's state")
}

func (u Unimplemented) Inspect(context.Context, ContainerID) (Details, error) {
	return Details{}, u.no("inspect containers")
}

func (u Unimplemented) Stats(context.Context, ContainerID) (Stats, error) {
	return Stats{}, u.no("measure containers")
}

func (u Unimplemented) StatsStream(context.Context, ContainerID, time.Duration) iter.Seq2[Stats, error] {
	return noSeq[Stats](u.no("measure containers"))
}

func (u Unimplemented) PID(context.Context, ContainerID) (int, error) {
	return 0, u.no("tell a container's process id")
}

func (u Unimplemented) IP(context.Context, ContainerID) (netip.Addr, error) {
	return netip.Addr{}, u.no("tell a container's address")
}

func (u Unimplemented) PortOverride(context.Context, ContainerID) (uint16, error) {
	return 0, u.no("tell a container's port")
}

func (u Unimplemented) PortMappings(context.Context, ContainerID) ([]messages.Port, error) {
	return nil, u.no("tell a container's ports")
}

func (u Unimplemented) NamespaceID(context.Context, ContainerID) (string, error) {
	return "", u.no("tell a container's network namespace")
}

func (u Unimplemented) Top(context.Context, ContainerID) ([]Process, error) {
	return nil, u.no("list a container's processes")
}

func (u Unimplemented) Changes(context.Context, ContainerID) ([]FileChange, error) {
	return nil, u.no("list a container's changed files")
}

func (u Unimplemented) Wait(context.Context, ContainerID) (int, error) {
	return 0, u.no("wait for containers")
}

func (u Unimplemented) WaitOutcome(context.Context, ContainerID, messages.WaitCondition) (WaitOutcome, error) {
	return WaitOutcome{}, u.no("wait for containers")
}

func (u Unimplemented) Logs(context.Context, ContainerID, LogOptions) iter.Seq2[LogEntry, error] {
	return noSeq[LogEntry](u.no("read logs"))
}

func (u Unimplemented) Exec(context.Context, ContainerID, ExecOptions) (ExecResult, error) {
	return ExecResult{}, u.no("run programs in containers")
}

func (u Unimplemented) ExecStream(context.Context, ContainerID, ExecOptions) iter.Seq2[ExecEvent, error] {
	return noSeq[ExecEvent](u.no("run programs in containers"))
}

func (u Unimplemented) ExecSession(context.Context, ContainerID, ExecOptions) (ExecSession, error) {
	return nil, u.no("run interactive programs in containers")
}

func (u Unimplemented) Probe(context.Context, ContainerID, messages.Health) (Verdict, error) {
	return Verdict{}, u.no("check a container's health")
}

func (u Unimplemented) CopyIn(context.Context, ContainerID, string, io.Reader) error {
	return u.no("copy files into containers")
}

func (u Unimplemented) CopyOut(context.Context, ContainerID, string, io.Writer) error {
	return u.no("copy files out of containers")
}

func (u Unimplemented) Export(context.Context, ContainerID, io.Writer) error {
	return u.no("export containers")
}

func (u Unimplemented) Commit(context.Context, ContainerID, string) (ImageInfo, error) {
	return ImageInfo{}, u.no("commit containers")
}
