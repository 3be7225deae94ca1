package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/toybox"
)

// TestPullsTellHowFarTheyAre has a registry that stops in the middle of a layer
// until a person has been told how far it is: who runs an image, and who pulls it.
func TestPullsTellHowFarTheyAre(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	gate := make(chan struct{}, 1)
	f.serveImages(toybox.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				w = &halting{ResponseWriter: w, gate: gate, left: r.Context().Done()}
			}
			next.ServeHTTP(w, r)
		})
	}))
	f.linux()
	image := f.linuxImage("echo", "hello")
	const half = `(?m)^linux-1: pulling 0/1 layers, 0\.\d of 1\.\d MB$`

	run := f.shows("run", image, "--id", "hello")
	run.await(half)
	gate <- struct{}{}
	if code := run.wait(); code != 0 || !strings.Contains(run.output.String(), "hello\n") {
		t.Errorf("run ends with %d:\n%s", code, run.output)
	}
	eventually(t, "the image is removed", func() (bool, string) { // when the container is
		out := f.says("", nil, "prune", "--node", linuxNode)
		return strings.Contains(out, "deleted "+image), out
	})
	pull := f.shows("pull", image, "--node", linuxNode)
	pull.await(half)
	gate <- struct{}{}
	if code := pull.wait(); code != 0 || !strings.Contains(pull.output.String(), "linux-1: sha256:") {
		t.Errorf("pull ends with %d:\n%s", code, pull.output)
	}
}

// halting is an answer that stops after its first half MB, until the gate lets
// it go on.
type halting struct {
	http.ResponseWriter
	gate   <-chan struct{}
	left   <-chan struct{} // whoever asks has gone
	sent   int
	halted bool
}

func (h *halting) Write(p []byte) (int, error) {
	if h.sent += len(p); h.sent > 500_000 && !h.halted {
		h.halted = true
		_ = http.NewResponseController(h.ResponseWriter).Flush()
		select {
		case <-h.gate:
		case <-h.left:
		}
	}
	return h.ResponseWriter.Write(p)
}
