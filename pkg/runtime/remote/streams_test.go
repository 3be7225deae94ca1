package remote_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// flood is a runtime whose containers have written without end, and which moves
// files of many bytes.
type flood struct {
	runtime.Runtime
	wrote chan int // how much a follower was given, when it has ended
}

var line = bytes.Repeat([]byte("0123456789abcdef"), 1024)

func (f *flood) Logs(context.Context, runtime.ContainerID, runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return func(yield func(runtime.LogEntry, error) bool) {
		n := 0
		for yield(runtime.LogEntry{At: time.Now(), Stream: runtime.Stdout, Message: bytes.Clone(line)}, nil) {
			n += len(line)
		}
		f.wrote <- n
	}
}

// A follower that does not read holds up nobody else, and its own source; when
// it leaves, that ends.
func TestAStreamThatNobodyReadsHoldsUpNobody(t *testing.T) {
	f := &flood{Runtime: memory.New(newMachine(t)), wrote: make(chan int, 1)}
	r := near(t, &farEnd{rt: f})
	for range r.Logs(t.Context(), runtimetest.SpySubject, runtime.LogOptions{Follow: true}) {
		for range 100 {
			if _, err := r.List(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case n := <-f.wrote:
			t.Fatalf("the far end has gone on for %d bytes, and ended", n)
		default:
		}
		break
	}
	if n := <-f.wrote; n > 8<<20 {
		t.Errorf("%d bytes were written for one that was read", n)
	}
}

// files moves the bytes it is given, and back.
type files struct {
	runtime.Runtime
	held bytes.Buffer
	err  error // of the reader
}

func (f *files) CopyIn(_ context.Context, _ runtime.ContainerID, _ string, r io.Reader) error {
	_, f.err = f.held.ReadFrom(r)
	return f.err
}

func (f *files) CopyOut(_ context.Context, _ runtime.ContainerID, _ string, w io.Writer) error {
	_, err := w.Write(f.held.Bytes())
	return err
}

func TestFilesAreMovedWhole(t *testing.T) {
	f := &files{Runtime: memory.New(newMachine(t))}
	r := near(t, &farEnd{rt: f})
	sent := bytes.Repeat(line, 200)
	sent[12345] = 'x'
	must(t, r.CopyIn(t.Context(), runtimetest.SpySubject, "/", bytes.NewReader(sent)))
	var got bytes.Buffer
	must(t, r.CopyOut(t.Context(), runtimetest.SpySubject, "/", &got))
	if !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("%d bytes came back as %d others", len(sent), got.Len())
	}
}

// A source that breaks is no end of file for the far runtime, and a sink that
// breaks ends the call there.
func TestBrokenFiles(t *testing.T) {
	f := &files{Runtime: memory.New(newMachine(t))}
	r := near(t, &farEnd{rt: f})
	torn := errors.Join(errors.New("the disk is torn"), errdefs.ErrDataLoss)
	err := r.CopyIn(t.Context(), runtimetest.SpySubject, "/", io.MultiReader(bytes.NewReader(line), &broken{torn}))
	if !errors.Is(err, torn) || !errdefs.IsDataLoss(f.err) || f.held.Len() != len(line) {
		t.Errorf("the near end got %v, the far runtime %v after %d bytes", err, f.err, f.held.Len())
	}
	if err := r.CopyOut(t.Context(), runtimetest.SpySubject, "/", &broken{torn}); !errors.Is(err, torn) {
		t.Errorf("a sink that breaks: %v", err)
	}
	if _, err := r.List(t.Context()); err != nil {
		t.Errorf("after that: %v", err)
	}
}

type broken struct{ err error }

func (b *broken) Read([]byte) (int, error)  { return 0, b.err }
func (b *broken) Write([]byte) (int, error) { return 0, b.err }

// A call that is cancelled is cancelled at the far end, and has ended there when
// it returns.
func TestCancelReachesTheFarEnd(t *testing.T) {
	held := make(chan struct{})
	began := make(chan struct{})
	defer close(held)
	faulty := runtimetest.Inject(memory.New(newMachine(t)), runtimetest.Fault{
		Op: "Start", Do: func(runtimetest.Call) { close(began) }, Hold: held,
	})
	r := near(t, &farEnd{rt: faulty})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	if err := r.Start(ctx, runtimetest.SpySubject); !errors.Is(err, context.Canceled) {
		t.Errorf("the call: %v", err)
	}
	calls := faulty.Calls("Start")
	if len(calls) != 1 || !calls[0].Done || !errors.Is(calls[0].Err, context.Canceled) {
		t.Errorf("at the far end: %+v", calls)
	}
}
