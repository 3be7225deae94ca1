package runtimetest

import (
	"fmt"
	"io"
	"iter"
	"net/netip"
	"reflect"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Spy is a Runtime whose every operation records its arguments, and gives a
// result made up for it alone, with Err. It has no defaults to inherit: a new
// operation of the port has to be written here. Its Platforms never fails. It is
// for tests of what passes calls on; see Invoke.
type Spy struct {
	Name string // the Runtime of its results
	Err  error

	mu   sync.Mutex
	seen map[string][]any
}

var _ runtime.Runtime = (*Spy)(nil)

// spyPlatform is the only one that a Spy knows.
var spyPlatform = messages.Platform{OS: messages.Linux, Arch: "amd64"}

func (s *Spy) record(op string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string][]any{}
	}
	s.seen[op] = append([]any{}, args...)
}

// give records a call and makes up its result.
func give[T any](s *Spy, op string, args ...any) (T, error) {
	s.record(op, args...)
	var result T
	n := len(op)
	s.fill(reflect.ValueOf(&result).Elem(), op, &n)
	return result, s.Err
}

func do(s *Spy, op string, args ...any) error {
	s.record(op, args...)
	return s.Err
}

func giveSeq[T any](s *Spy, op string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		v, err := give[T](s, op, args...)
		if yield(v, nil) {
			yield(v, err)
		}
	}
}

// fill makes up a value: every number and string in it is another one.
func (s *Spy) fill(v reflect.Value, op string, n *int) {
	*n++
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(int64(*n), 0).UTC()))
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)})))
		return
	case reflect.TypeFor[messages.Platform]():
		v.Set(reflect.ValueOf(spyPlatform))
		return
	case reflect.TypeFor[runtime.ExecSession]():
		v.Set(reflect.ValueOf(&spySession{op: op}))
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
				v.Field(i).SetString(s.Name)
			}
		}
	}
}

// spySession is an ExecSession that is only ever passed on, and closed.
type spySession struct {
	runtime.ExecSession
	op string
}

func (s *spySession) Events() iter.Seq2[runtime.ExecEvent, error] {
	return func(func(runtime.ExecEvent, error) bool) {}
}

func (s *spySession) Close() error { return nil }

func text(r io.Reader) string {
	b, err := io.ReadAll(r)
	return fmt.Sprint(string(b), err)
}
