package runtimetest

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// maxCalls is how many calls a Faulty remembers; the older half goes when there
// are more. Counts are kept for ever.
const maxCalls = 8192

// Call is a call that a Faulty has seen.
type Call struct {
	Op     string
	Nth    int                 // of its operation's calls, from 1
	ID     runtime.ContainerID // zero for operations that take none
	Args   []any               // what comes after the context and the id
	Struck bool                // by a fault
	Done   bool                // it has returned; a sequence: it was read to its end, or left
	Err    error               // what it answered; a sequence's last
}

// Faulty is a Runtime that forwards every call to another, records it, and lets
// faults strike it. Without faults it is a recorder. The arguments go on
// untouched, and so do results and errors. It is safe for concurrent use; a
// sequence is a call from when it is first read on.
type Faulty struct {
	rt   runtime.Runtime
	life context.Context
	end  context.CancelFunc

	mu     sync.Mutex
	faults []*armed
	calls  []*Call
	counts map[string]int
}

var _ runtime.Runtime = (*Faulty)(nil)

// Inject puts faults before a Runtime. It panics when a fault names an
// operation that does not exist.
func Inject(rt runtime.Runtime, faults ...Fault) *Faulty {
	life, end := context.WithCancel(context.Background())
	f := &Faulty{rt: rt, life: life, end: end, counts: map[string]int{}}
	f.Inject(faults...)
	return f
}

// Inject adds faults. They count calls from now on.
func (f *Faulty) Inject(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range faults {
		f.faults = append(f.faults, arm(fault))
	}
}

// Heal takes every fault away. Calls that are held by one stay so.
func (f *Faulty) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// Crashed is closed when a fault has crashed the Faulty. The runtime behind it
// goes on: Inject it again, as a restarted process would.
func (f *Faulty) Crashed() <-chan struct{} { return f.life.Done() }

// Calls are the calls of some operations, or of all, in the order in which they
// began.
func (f *Faulty) Calls(ops ...string) []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	var calls []Call
	for _, c := range f.calls {
		if len(ops) == 0 || slices.Contains(ops, c.Op) {
			calls = append(calls, *c)
		}
	}
	return calls
}

// Count is how often an operation was called.
func (f *Faulty) Count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[op]
}

// Ops are the operations that were called, sorted: the places where a fault can
// strike a run that is done the same way again.
func (f *Faulty) Ops() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	ops := make([]string, 0, len(f.counts))
	for op := range f.counts {
		ops = append(ops, op)
	}
	slices.Sort(ops)
	return ops
}

// underWay is a call that has begun.
type underWay struct {
	call   *Call
	faults []*armed
	ctx    context.Context // ends with the caller's, by a fault, or with the Faulty
	cancel context.CancelFunc
}

func (f *Faulty) begin(ctx context.Context, op string, id runtime.ContainerID, args []any) *underWay {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[op]++
	u := &underWay{call: &Call{Op: op, Nth: f.counts[op], ID: id, Args: args}}
	if len(f.calls) == maxCalls {
		f.calls = slices.Delete(f.calls, 0, maxCalls/2)
	}
	f.calls = append(f.calls, u.call)
	for _, fault := range f.faults {
		if fault.matches(u.call) {
			u.faults = append(u.faults, fault)
		}
	}
	u.call.Struck = len(u.faults) > 0
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(f.life, cancel)
	u.ctx, u.cancel = ctx, func() { stop(); cancel() }
	return u
}

// finish records the end of a call.
func (f *Faulty) finish(u *underWay, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u.call.Done, u.call.Err = true, err
}

// known is a copy of a call as it is now.
func (f *Faulty) known(u *underWay) Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *u.call
}

// pass takes a call through its faults; struck tells whether the error is not
// the call's own. It leaves the context open, for what outlives the call.
func (f *Faulty) pass(u *underWay, inner func(ctx context.Context) error) (struck bool, err error) {
	defer func() { f.finish(u, err) }()
	if f.life.Err() != nil {
		return true, ErrCrashed
	}
	if err := f.strike(u, Before); err != nil {
		return true, err
	}
	own := inner(u.ctx)
	if err := f.strike(u, After); err != nil {
		return true, err
	}
	if f.life.Err() != nil {
		return true, ErrCrashed
	}
	return false, own
}

func (f *Faulty) do(ctx context.Context, op string, id runtime.ContainerID, args []any, inner func(ctx context.Context) error) error {
	u := f.begin(ctx, op, id, args)
	defer u.cancel()
	_, err := f.pass(u, inner)
	return err
}

func ask[T any](ctx context.Context, f *Faulty, op string, id runtime.ContainerID, args []any, inner func(ctx context.Context) (T, error)) (answer T, err error) {
	u := f.begin(ctx, op, id, args)
	defer u.cancel()
	struck, err := f.pass(u, func(ctx context.Context) (err error) {
		answer, err = inner(ctx)
		return err
	})
	if struck {
		answer = *new(T)
	}
	return answer, err
}

func stream[T any](ctx context.Context, f *Faulty, op string, id runtime.ContainerID, args []any, inner func(ctx context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		u := f.begin(ctx, op, id, args)
		defer u.cancel()
		left := false
		struck, err := f.pass(u, func(ctx context.Context) (last error) {
			for item, err := range inner(ctx) {
				last = err
				if left = !yield(item, err); left {
					break
				}
			}
			return last
		})
		if struck && !left {
			yield(*new(T), err)
		}
	}
}
