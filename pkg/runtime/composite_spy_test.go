package runtime_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"reflect"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// spy is a Runtime whose every operation records its arguments, and gives a
// result made up for it alone, with err. It has no defaults to inherit: a new
// operation of the port has to be written here.
type spy struct {
	name string
	err  error
	seen map[string][]any
}

var _ runtime.Runtime = (*spy)(nil)

// give records a call and makes up its result.
func give[T any](s *spy, op string, args ...any) (T, error) {
	s.seen[op] = args
	var result T
	n := len(op)
	s.fill(reflect.ValueOf(&result).Elem(), op, &n)
	return result, s.err
}

func do(s *spy, op string, args ...any) error {
	s.seen[op] = args
	return s.err
}

func giveSeq[T any](s *spy, op string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		v, err := give[T](s, op, args...)
		if yield(v, nil) {
			yield(v, err)
		}
	}
}

// fill makes up a value: every number and string in it is another one.
func (s *spy) fill(v reflect.Value, op string, n *int) {
	*n++
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(int64(*n), 0).UTC()))
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)})))
		return
	case reflect.TypeFor[messages.Platform]():
		v.Set(reflect.ValueOf(plat("linux/amd64")))
		return
	case reflect.TypeFor[runtime.ExecSession]():
		v.Set(reflect.ValueOf(&session{op: op}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%s-%d", op, *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n % 256))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		s.fill(v.Elem(), op, n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		s.fill(v.Index(0), op, n)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		s.fill(key, op, n)
		s.fill(value, op, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				s.fill(f, op, n)
			}
			if v.Type().Field(i).Name == "Runtime" {
				v.Field(i).SetString(s.name)
			}
		}
	}
}

// session is an ExecSession that is only ever passed on.
type session struct {
	runtime.ExecSession
	op string
}

func text(r io.Reader) string {
	b, err := io.ReadAll(r)
	return fmt.Sprint(string(b), err)
}

type (
	ctxT = context.Context
	cID  = runtime.ContainerID
)

func (s *spy) Platforms(ctxT) ([]messages.Platform, error) {
	return []messages.Platform{plat("linux/amd64")}, nil // always there
}

func (s *spy) Describe(ctxT) (runtime.Description, error) {
	return give[runtime.Description](s, "Describe")
}

func (s *spy) Pull(_ ctxT, ref string, o runtime.PullOptions) (runtime.ImageInfo, error) {
	return give[runtime.ImageInfo](s, "Pull", ref, o)
}

func (s *spy) ListImages(ctxT) ([]runtime.ImageInfo, error) {
	return give[[]runtime.ImageInfo](s, "ListImages")
}

func (s *spy) RemoveImage(_ ctxT, ref string, force bool) error {
	return do(s, "RemoveImage", ref, force)
}

func (s *spy) PruneImages(ctxT) (runtime.PruneResult, error) {
	return give[runtime.PruneResult](s, "PruneImages")
}

func (s *spy) TagImage(_ ctxT, a, b string) error { return do(s, "TagImage", a, b) }

func (s *spy) ImageHistory(_ ctxT, ref string) ([]runtime.ImageLayer, error) {
	return give[[]runtime.ImageLayer](s, "ImageHistory", ref)
}

func (s *spy) SearchImages(_ ctxT, term string, n int) ([]runtime.ImageMatch, error) {
	return give[[]runtime.ImageMatch](s, "SearchImages", term, n)
}

func (s *spy) SaveImages(_ ctxT, refs []string, w io.Writer) error {
	fmt.Fprint(w, "SaveImages")
	return do(s, "SaveImages", refs, nil)
}

func (s *spy) LoadImages(_ ctxT, r io.Reader) ([]runtime.ImageInfo, error) {
	return give[[]runtime.ImageInfo](s, "LoadImages", text(r))
}

func (s *spy) ImportImage(_ ctxT, ref string, r io.Reader) (runtime.ImageInfo, error) {
	return give[runtime.ImageInfo](s, "ImportImage", ref, text(r))
}

func (s *spy) Create(_ ctxT, id cID, spec *messages.Spec, o runtime.CreateOptions) error {
	return do(s, "Create", id, spec, o)
}

func (s *spy) Start(_ ctxT, id cID) error                           { return do(s, "Start", id) }
func (s *spy) Stop(_ ctxT, id cID, d time.Duration) error           { return do(s, "Stop", id, d) }
func (s *spy) Kill(_ ctxT, id cID, signal string) error             { return do(s, "Kill", id, signal) }
func (s *spy) Remove(_ ctxT, id cID, o runtime.RemoveOptions) error { return do(s, "Remove", id, o) }
func (s *spy) Rename(_ ctxT, id cID, name string) error             { return do(s, "Rename", id, name) }
func (s *spy) Pause(_ ctxT, id cID) error                           { return do(s, "Pause", id) }
func (s *spy) Unpause(_ ctxT, id cID) error                         { return do(s, "Unpause", id) }

func (s *spy) UpdateResources(_ ctxT, id cID, r messages.Resources) error {
	return do(s, "UpdateResources", id, r)
}

func (s *spy) PruneContainers(ctxT) (runtime.PruneResult, error) {
	return give[runtime.PruneResult](s, "PruneContainers")
}

func (s *spy) SyncVolumes(_ ctxT, id cID, opts runtime.SyncOptions) ([]messages.VolumeBytes, error) {
	return give[[]messages.VolumeBytes](s, "SyncVolumes", id, opts)
}

func (s *spy) List(ctxT) ([]runtime.Container, error) { return give[[]runtime.Container](s, "List") }

func (s *spy) State(_ ctxT, id cID) (runtime.State, error) {
	return give[runtime.State](s, "State", id)
}

func (s *spy) Inspect(_ ctxT, id cID) (runtime.Details, error) {
	d, err := give[runtime.Details](s, "Inspect", id)
	d.Runtime = s.name
	return d, err
}

func (s *spy) Stats(_ ctxT, id cID) (runtime.Stats, error) {
	return give[runtime.Stats](s, "Stats", id)
}

func (s *spy) StatsStream(_ ctxT, id cID, d time.Duration) iter.Seq2[runtime.Stats, error] {
	return giveSeq[runtime.Stats](s, "StatsStream", id, d)
}

func (s *spy) PID(_ ctxT, id cID) (int, error)       { return give[int](s, "PID", id) }
func (s *spy) IP(_ ctxT, id cID) (netip.Addr, error) { return give[netip.Addr](s, "IP", id) }
func (s *spy) PortOverride(_ ctxT, id cID) (uint16, error) {
	return give[uint16](s, "PortOverride", id)
}

func (s *spy) PortMappings(_ ctxT, id cID) ([]messages.Port, error) {
	return give[[]messages.Port](s, "PortMappings", id)
}

func (s *spy) NamespaceID(_ ctxT, id cID) (string, error) { return give[string](s, "NamespaceID", id) }

func (s *spy) Top(_ ctxT, id cID) ([]runtime.Process, error) {
	return give[[]runtime.Process](s, "Top", id)
}

func (s *spy) Changes(_ ctxT, id cID) ([]runtime.FileChange, error) {
	return give[[]runtime.FileChange](s, "Changes", id)
}

func (s *spy) Wait(_ ctxT, id cID) (int, error) { return give[int](s, "Wait", id) }

func (s *spy) WaitOutcome(_ ctxT, id cID, until messages.WaitCondition) (runtime.WaitOutcome, error) {
	return give[runtime.WaitOutcome](s, "WaitOutcome", id, until)
}

func (s *spy) Logs(_ ctxT, id cID, o runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return giveSeq[runtime.LogEntry](s, "Logs", id, o)
}

func (s *spy) Exec(_ ctxT, id cID, o runtime.ExecOptions) (runtime.ExecResult, error) {
	return give[runtime.ExecResult](s, "Exec", id, o)
}

func (s *spy) ExecStream(_ ctxT, id cID, o runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return giveSeq[runtime.ExecEvent](s, "ExecStream", id, o)
}

func (s *spy) ExecSession(_ ctxT, id cID, o runtime.ExecOptions) (runtime.ExecSession, error) {
	return give[runtime.ExecSession](s, "ExecSession", id, o)
}

func (s *spy) Probe(_ ctxT, id cID, check messages.Health) (runtime.Verdict, error) {
	return give[runtime.Verdict](s, "Probe", id, check)
}

func (s *spy) CopyIn(_ ctxT, id cID, dir string, r io.Reader) error {
	return do(s, "CopyIn", id, dir, text(r))
}

func (s *spy) CopyOut(_ ctxT, id cID, path string, w io.Writer) error {
	fmt.Fprint(w, "CopyOut")
	return do(s, "CopyOut", id, path, nil)
}

func (s *spy) Export(_ ctxT, id cID, w io.Writer) error {
	fmt.Fprint(w, "Export")
	return do(s, "Export", id, nil)
}

func (s *spy) Commit(_ ctxT, id cID, ref string) (runtime.ImageInfo, error) {
	return give[runtime.ImageInfo](s, "Commit", id, ref)
}
