package runtimetest

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

type (
	ctxT = context.Context
	idT  = runtime.ContainerID
)

func (s *Spy) Platforms(ctxT) ([]messages.Platform, error) {
	s.record("Platforms")
	return []messages.Platform{spyPlatform}, nil // always there
}

func (s *Spy) Describe(ctxT) (runtime.Description, error) {
	return give[runtime.Description](s, "Describe")
}

func (s *Spy) Pull(_ ctxT, ref string, o runtime.PullOptions) (runtime.ImageInfo, error) {
	return give[runtime.ImageInfo](s, "Pull", ref, o)
}

func (s *Spy) ListImages(ctxT) ([]runtime.ImageInfo, error) {
	return give[[]runtime.ImageInfo](s, "ListImages")
}

func (s *Spy) RemoveImage(_ ctxT, ref string, force bool) error {
	return do(s, "RemoveImage", ref, force)
}

func (s *Spy) PruneImages(ctxT) (runtime.PruneResult, error) {
	return give[runtime.PruneResult](s, "PruneImages")
}

func (s *Spy) TagImage(_ ctxT, a, b string) error { return do(s, "TagImage", a, b) }

func (s *Spy) ImageHistory(_ ctxT, ref string) ([]runtime.ImageLayer, error) {
	return give[[]runtime.ImageLayer](s, "ImageHistory", ref)
}

func (s *Spy) SearchImages(_ ctxT, term string, n int) ([]runtime.ImageMatch, error) {
	return give[[]runtime.ImageMatch](s, "SearchImages", term, n)
}

func (s *Spy) SaveImages(_ ctxT, refs []string, w io.Writer) error {
	fmt.Fprint(w, "SaveImages")
	return do(s, "SaveImages", refs, nil)
}

func (s *Spy) LoadImages(_ ctxT, r io.Reader) ([]runtime.ImageInfo, error) {
	return give[[]runtime.ImageInfo](s, "LoadImages", text(r))
}

func (s *Spy) ImportImage(_ ctxT, ref string, r io.Reader) (runtime.ImageInfo, error) {
	return give[runtime.ImageInfo](s, "ImportImage", ref, text(r))
}

func (s *Spy) Create(_ ctxT, id idT, spec *messages.Spec, o runtime.CreateOptions) error {
	return do(s, "Create", id, spec, o)
}

func (s *Spy) Start(_ ctxT, id idT) error                           { return do(s, "Start", id) }
func (s *Spy) Stop(_ ctxT, id idT, d time.Duration) error           { return do(s, "Stop", id, d) }
func (s *Spy) Kill(_ ctxT, id idT, signal string) error             { return do(s, "Kill", id, signal) }
func (s *Spy) Remove(_ ctxT, id idT, o runtime.RemoveOptions) error { return do(s, "Remove", id, o) }
func (s *Spy) Rename(_ ctxT, id idT, name string) error             { return do(s, "Rename", id, name) }
func (s *Spy) Pause(_ ctxT, id idT) error                           { return do(s, "Pause", id) }
func (s *Spy) Unpause(_ ctxT, id idT) error                         { return do(s, "Unpause", id) }

func (s *Spy) UpdateResources(_ ctxT, id idT, r messages.Resources) error {
	return do(s, "UpdateResources", id, r)
}

func (s *Spy) PruneContainers(ctxT) (runtime.PruneResult, error) {
	return give[runtime.PruneResult](s, "PruneContainers")
}

func (s *Spy) SyncVolumes(_ ctxT, id idT, opts runtime.SyncOptions) ([]messages.VolumeBytes, error) {
	return give[[]messages.VolumeBytes](s, "SyncVolumes", id, opts)
}

func (s *Spy) List(ctxT) ([]runtime.Container, error) { return give[[]runtime.Container](s, "List") }

func (s *Spy) State(_ ctxT, id idT) (runtime.State, error) {
	return give[runtime.State](s, "State", id)
}

func (s *Spy) Inspect(_ ctxT, id idT) (runtime.Details, error) {
	d, err := give[runtime.Details](s, "Inspect", id)
	d.Runtime = s.Name
	return d, err
}

func (s *Spy) Stats(_ ctxT, id idT) (runtime.Stats, error) {
	return give[runtime.Stats](s, "Stats", id)
}

func (s *Spy) StatsStream(_ ctxT, id idT, d time.Duration) iter.Seq2[runtime.Stats, error] {
	return giveSeq[runtime.Stats](s, "StatsStream", id, d)
}

func (s *Spy) PID(_ ctxT, id idT) (int, error)       { return give[int](s, "PID", id) }
func (s *Spy) IP(_ ctxT, id idT) (netip.Addr, error) { return give[netip.Addr](s, "IP", id) }
func (s *Spy) PortOverride(_ ctxT, id idT) (uint16, error) {
	return give[uint16](s, "PortOverride", id)
}

func (s *Spy) PortMappings(_ ctxT, id idT) ([]messages.Port, error) {
	return give[[]messages.Port](s, "PortMappings", id)
}

func (s *Spy) NamespaceID(_ ctxT, id idT) (string, error) { return give[string](s, "NamespaceID", id) }

func (s *Spy) Top(_ ctxT, id idT) ([]runtime.Process, error) {
	return give[[]runtime.Process](s, "Top", id)
}

func (s *Spy) Changes(_ ctxT, id idT) ([]runtime.FileChange, error) {
	return give[[]runtime.FileChange](s, "Changes", id)
}

func (s *Spy) Wait(_ ctxT, id idT) (int, error) { return give[int](s, "Wait", id) }

func (s *Spy) WaitOutcome(_ ctxT, id idT, until messages.WaitCondition) (runtime.WaitOutcome, error) {
	return give[runtime.WaitOutcome](s, "WaitOutcome", id, until)
}

func (s *Spy) Logs(_ ctxT, id idT, o runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return giveSeq[runtime.LogEntry](s, "Logs", id, o)
}

func (s *Spy) Exec(_ ctxT, id idT, o runtime.ExecOptions) (runtime.ExecResult, error) {
	return give[runtime.ExecResult](s, "Exec", id, o)
}

func (s *Spy) ExecStream(_ ctxT, id idT, o runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return giveSeq[runtime.ExecEvent](s, "ExecStream", id, o)
}

func (s *Spy) ExecSession(_ ctxT, id idT, o runtime.ExecOptions) (runtime.ExecSession, error) {
	return give[runtime.ExecSession](s, "ExecSession", id, o)
}

func (s *Spy) Probe(_ ctxT, id idT, check messages.Health) (runtime.Verdict, error) {
	return give[runtime.Verdict](s, "Probe", id, check)
}

func (s *Spy) CopyIn(_ ctxT, id idT, dir string, r io.Reader) error {
	return do(s, "CopyIn", id, dir, text(r))
}

func (s *Spy) CopyOut(_ ctxT, id idT, path string, w io.Writer) error {
	fmt.Fprint(w, "CopyOut")
	return do(s, "CopyOut", id, path, nil)
}

func (s *Spy) Export(_ ctxT, id idT, w io.Writer) error {
	fmt.Fprint(w, "Export")
	return do(s, "Export", id, nil)
}

func (s *Spy) Commit(_ ctxT, id idT, ref string) (runtime.ImageInfo, error) {
	return give[runtime.ImageInfo](s, "Commit", id, ref)
}
