package containerd_test

import (
	"net/http"
	goruntime "runtime"
	"sync/atomic"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// counted puts a registry that counts its requests in place of the bench's.
func counted(b *bench, options ...toybox.RegistryOption) *atomic.Int64 {
	b.Helper()
	var requests atomic.Int64
	count := toybox.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			next.ServeHTTP(w, r)
		})
	})
	reg, err := toybox.Serve("127.0.0.1:0", append(options, count)...)
	b.must(err)
	b.Cleanup(func() { reg.Close() })
	b.reg = reg
	return &requests
}

func TestPullPolicies(t *testing.T) {
	b := newBench(t)
	requests := counted(b)
	ref := b.push("app:1")
	pull := func(ref string, policy messages.PullPolicy) (runtime.ImageInfo, int64, error) {
		before := requests.Load()
		info, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{Policy: policy})
		return info, requests.Load() - before, err
	}
	if _, n, err := pull(ref, messages.PullNever); !errdefs.IsNotFound(err) || n != 0 {
		t.Errorf("never, not here: %v with %d requests, want NotFound with none", err, n)
	}
	first, n, err := pull(ref, "")
	if err != nil || n == 0 || first.Digest == "" || first.Size == 0 || len(first.Platforms) != 1 {
		t.Fatalf("first pull: %+v, %d requests, %v", first, n, err)
	}
	for policy, most := range map[messages.PullPolicy]int64{messages.PullIfNotPresent: 0, messages.PullNever: 0, messages.PullAlways: 1, messages.PullNewer: 1} {
		if info, n, err := pull(ref, policy); err != nil || n != most || info.Digest != first.Digest {
			t.Errorf("%s, here: %s with %d requests, %v; want %s with %d", policy, info.Digest, n, err, first.Digest, most)
		}
	}
	byDigest := b.reg.Addr() + "/app@" + first.Digest
	if _, _, err := pull(byDigest, messages.PullAlways); err != nil {
		t.Fatal(err)
	}
	if _, n, err := pull(byDigest, messages.PullAlways); err != nil || n != 0 {
		t.Errorf("always, by digest, here: %d requests, %v; want none", n, err)
	}
	moved := b.push("app:1", toybox.WithCmd("echo", "moved"))
	if info, _, err := pull(moved, messages.PullIfNotPresent); err != nil || info.Digest != first.Digest {
		t.Errorf("if_not_present of a moved tag: %s, %v; want the old one", info.Digest, err)
	}
	if info, _, err := pull(moved, messages.PullNewer); err != nil || info.Digest == first.Digest {
		t.Errorf("newer of a moved tag: %s, %v; want the new one", info.Digest, err)
	}
	b.reg.Close()
	if _, _, err := pull(moved, messages.PullNewer); err != nil {
		t.Errorf("newer, here, registry away: %v", err)
	}
	if _, _, err := pull(moved, messages.PullAlways); !errdefs.IsUnavailable(err) {
		t.Errorf("always, registry away: %v, want Unavailable", err)
	}
}

func TestPullWithCredentials(t *testing.T) {
	b := newBench(t)
	counted(b, toybox.WithBasicAuth("ann", "secret"))
	ref := b.push("private:1")
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	for name, auth := range map[string]*messages.RegistryAuth{
		"none":  nil,
		"wrong": {Username: "ann", Password: "guess"},
	} {
		if _, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{Auth: auth}); !errdefs.IsUnauthorized(err) {
			t.Errorf("%s: %v, want Unauthenticated", name, err)
		}
	}
	if _, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{Auth: &messages.RegistryAuth{Username: "ann", Password: "secret"}}); err != nil {
		t.Error(err)
	}
}

func TestLookupKnowsAllPlatforms(t *testing.T) {
	b := newBench(t)
	linux, err := toybox.Image(testenv.Toybox(b), toybox.Linux(goruntime.GOARCH))
	b.must(err)
	windows, err := toybox.Image("", toybox.Windows("10.0.20348.2762"))
	b.must(err)
	index, err := toybox.Index(linux, windows)
	b.must(err)
	ref, err := b.reg.Push(b.ctx, "both:1", index)
	b.must(err)
	if _, _, err := b.rt.Lookup(b.ctx, ref); !errdefs.IsNotFound(err) {
		t.Errorf("lookup before the pull: %v, want NotFound", err)
	}
	info, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{})
	b.must(err)
	digest, has, err := b.rt.Lookup(b.ctx, ref)
	if err != nil || digest != info.Digest || len(has) != 2 || has[1].OSVersion != "10.0.20348.2762" {
		t.Errorf("lookup: %s %v, %v", digest, has, err)
	}
}
