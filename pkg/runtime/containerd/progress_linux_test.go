package containerd_test

import (
	"context"
	"net/http"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

const mib = 1 << 20

// pushLayered pushes the toybox with layers of random bytes on top, each of at
// least the size given.
func (b *bench) pushLayered(name string, size int64, count int) (ref string, layers []v1.Layer) {
	b.Helper()
	img, err := toybox.Image(testenv.Toybox(b), toybox.Linux(goruntime.GOARCH))
	b.must(err)
	return b.pushLayers(name, img, size, count)
}

func (b *bench) pushLayers(name string, img v1.Image, size int64, count int) (ref string, layers []v1.Layer) {
	b.Helper()
	for range count {
		layer, err := random.Layer(size, types.OCILayer)
		b.must(err)
		layers = append(layers, layer)
	}
	img, err := mutate.AppendLayers(img, layers...)
	b.must(err)
	ref, err = b.reg.Push(b.ctx, name, img)
	b.must(err)
	return ref, layers
}

// stalled is a registry that stops in the middle of a blob until it is let go on.
type stalled struct {
	goOn chan struct{}
	mu   sync.Mutex
	blob string // its digest
	at   int    // bytes after which it stops
}

func stalledRegistry(b *bench) *stalled {
	b.Helper()
	s := &stalled{goOn: make(chan struct{})}
	reg, err := toybox.Serve("127.0.0.1:0", toybox.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			stalls := s.blob != "" && r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/blobs/"+s.blob)
			s.mu.Unlock()
			if stalls {
				w = &stallingWriter{ResponseWriter: w, left: s.at, gone: r.Context().Done(), goOn: s.goOn}
			}
			next.ServeHTTP(w, r)
		})
	}))
	b.must(err)
	b.Cleanup(func() { reg.Close() })
	b.reg = reg
	return s
}

func (s *stalled) stallAt(b *bench, layer v1.Layer, at int) {
	b.Helper()
	digest, err := layer.Digest()
	b.must(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blob, s.at = digest.String(), at
}

type stallingWriter struct {
	http.ResponseWriter
	left int
	gone <-chan struct{}
	goOn chan struct{}
}

func (w *stallingWriter) Write(p []byte) (int, error) {
	if len(p) <= w.left {
		w.left -= len(p)
		return w.ResponseWriter.Write(p)
	}
	n, err := w.ResponseWriter.Write(p[:w.left])
	if err != nil {
		return n, err
	}
	w.ResponseWriter.(http.Flusher).Flush()
	select {
	case <-w.goOn:
	case <-w.gone:
		return n, http.ErrAbortHandler
	}
	p, w.left = p[w.left:], len(p)*1000
	more, err := w.ResponseWriter.Write(p)
	return n + more, err
}

// told is what a pull has told of its progress.
type told struct {
	mu  sync.Mutex
	all []runtime.PullProgress
}

func (t *told) hear(p runtime.PullProgress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, p)
}

func (t *told) last() (p runtime.PullProgress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) > 0 {
		p = t.all[len(t.all)-1]
	}
	return p
}

func TestPullTellsProgressWhileItGoesOn(t *testing.T) {
	b := newBench(t)
	reg := stalledRegistry(b)
	ref, layers := b.pushLayered("big:1", mib, 2)
	reg.stallAt(b, layers[1], mib/2)
	var progress told
	ended := make(chan error, 1)
	go func() {
		_, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{Progress: progress.hear})
		ended <- err
	}()
	var p runtime.PullProgress
	until(t, "one layer from before, one that has come, and half of the last", func() bool {
		p = progress.last()
		return p.Layers == 3 && p.LayersDone == 2 && p.Bytes-p.BytesDone < mib*3/4
	})
	if left := p.Bytes - p.BytesDone; left < mib/4 {
		t.Errorf("%+v: %d bytes are left, though half of a layer has not come", p, left)
	}
	close(reg.goOn)
	b.must(<-ended)
	if p = progress.last(); p.LayersDone != 3 || p.Layers != 3 || p.BytesDone != p.Bytes || p.Bytes < 2*mib {
		t.Errorf("at the end: %+v, want all of 3 layers and of more than 2 MiB", p)
	}
	for i := 1; i < len(progress.all); i++ {
		if p := progress.all[i]; p.Layers == 0 && p.Bytes > progress.all[0].Bytes {
			t.Errorf("%+v: the manifest was read, and its layers are not known", p)
		}
		if was, is := progress.all[i-1], progress.all[i]; is.BytesDone < was.BytesDone || is.LayersDone < was.LayersDone || is.BytesDone > is.Bytes {
			t.Errorf("progress goes from %+v to %+v", was, is)
		}
	}
}

// TestPullGoesOnWhereItWasCutOff counts what came before as done.
func TestPullGoesOnWhereItWasCutOff(t *testing.T) {
	b := newBench(t)
	reg := stalledRegistry(b)
	ref, layers := b.pushLayers("big:1", empty.Image, 4*mib, 1)
	reg.stallAt(b, layers[0], 3*mib)
	ctx, cancel := context.WithCancel(b.ctx)
	var first, second told
	ended := make(chan error, 1)
	go func() {
		_, err := b.rt.Pull(ctx, ref, runtime.PullOptions{Progress: first.hear})
		ended <- err
	}()
	until(t, "most of the layer", func() bool { p := first.last(); return p.BytesDone > 2*mib })
	cancel()
	if err := <-ended; err == nil {
		t.Fatal("a pull that was cut off is no error")
	}
	close(reg.goOn)
	_, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{Progress: second.hear})
	b.must(err)
	p := second.last()
	if p.BytesDone != p.Bytes {
		t.Errorf("the second pull ends at %+v", p)
	}
	for _, p := range second.all {
		if p.BytesDone > mib/4 && p.BytesDone < mib {
			t.Fatalf("the second pull tells %+v, though more than 1 MiB of the layer was here", p)
		}
	}
}

func TestPullOfWhatIsHereTellsNothing(t *testing.T) {
	b := newBench(t)
	for _, policy := range []messages.PullPolicy{messages.PullIfNotPresent, messages.PullAlways, messages.PullNewer, messages.PullNever} {
		var progress told
		if _, err := b.rt.Pull(b.ctx, b.image, runtime.PullOptions{Policy: policy, Progress: progress.hear}); err != nil || len(progress.all) > 0 {
			t.Errorf("%s: %v, told %v; want nothing told", policy, err, progress.all)
		}
	}
}

// TestPullWhereAContainerKeptTheLayers has snapshots without their content.
func TestPullWhereAContainerKeptTheLayers(t *testing.T) {
	b := newBench(t)
	b.create(b.spec("true"))
	b.must(b.rt.RemoveImage(b.ctx, b.image, true))
	b.reopen() // what it remembers of the image
	ref := b.push("toybox:2")
	if info, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{}); err != nil || info.Size == 0 {
		t.Errorf("pull: %+v, %v", info, err)
	}
	if out, _ := b.run(&messages.Spec{Image: ref, Args: []string{"echo", "hello"}}); out != "hello\n" {
		t.Errorf("printed %q", out)
	}
}

// TestPullsOfOneImageFetchOnce has many ask for the same at once.
func TestPullsOfOneImageFetchOnce(t *testing.T) {
	b := newBench(t)
	var mu sync.Mutex
	fetched := map[string]int{}
	reg, err := toybox.Serve("127.0.0.1:0", toybox.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "sha256:") {
				mu.Lock()
				fetched[r.URL.Path]++
				mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	}))
	b.must(err)
	t.Cleanup(func() { reg.Close() })
	b.reg = reg
	ref, _ := b.pushLayered("big:1", mib, 2)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{Policy: messages.PullAlways}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(fetched) != 4 { // the manifest, its config, and the layers that are new
		t.Errorf("fetched %v, want 4 parts", fetched)
	}
	for path, n := range fetched {
		if n != 1 {
			t.Errorf("%s was fetched %d times", path, n)
		}
	}
}
