package image_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

var quiet = log.New(io.Discard, "", 0)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// inProcess carries requests to a handler without a network, so that virtual
// time can pass meanwhile.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		p.handler.ServeHTTP(w, req)
		resp := w.Result()
		resp.Request = req
		answer <- resp
	}()
	select {
	case resp := <-answer:
		return resp, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// stuck is a guard that holds requests for manifests until they are given up.
func stuck(_ http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/v2/" {
		<-r.Context().Done()
	}
	return false
}

const far = "registry.example/app:x"

func setup(t *testing.T, opts ...image.Option) (*testRegistry, *image.Resolver) {
	reg := newSilentRegistry(t)
	reg.index("app", "x", linuxAMD64)
	return reg, newResolver(append(opts, image.WithTransport(inProcess{reg}))...)
}

func TestTagAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, r := setup(t)
		platforms(t, r, far, "", nil)
		reg.asked()
		time.Sleep(image.DefaultTagTTL - time.Nanosecond)
		platforms(t, r, far, "", nil)
		reg.wantAsked()
		time.Sleep(time.Nanosecond)
		platforms(t, r, far, "", nil)
		reg.wantAsked("HEAD manifests")
		time.Sleep(time.Hour)
		platforms(t, r, far, messages.PullNever, nil)
		reg.wantAsked()
	})
}

func TestRegistryThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, r := setup(t, image.WithReadTimeout(7*time.Second))
		reg.guardWith(stuck)
		start := time.Now()
		_, _, err := r.Platforms(t.Context(), far, "", nil)
		wantError(t, err, errdefs.ErrUnavailable, far, "registry registry.example", "in time")
		if errdefs.IsDeadlineExceeded(err) {
			t.Errorf("%v looks like the caller's own end", err)
		}
		if got := time.Since(start); got != 7*time.Second {
			t.Errorf("it took %v", got)
		}
	})
}

func TestCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, r := setup(t)
		reg.guardWith(stuck)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := r.Platforms(ctx, far, "", nil)
		if !errdefs.IsDeadlineExceeded(err) || errdefs.IsUnavailable(err) {
			t.Errorf("got %v", err)
		}
	})
}

// TestAskersShareOneRead has one of them leave: the others get their answer.
func TestAskersShareOneRead(t *testing.T) {
	for _, pull := range []messages.PullPolicy{messages.PullIfNotPresent, messages.PullAlways} {
		synctest.Test(t, func(t *testing.T) {
			reg, r := setup(t)
			release := make(chan struct{})
			reg.guardWith(func(_ http.ResponseWriter, r *http.Request) bool {
				select {
				case <-release:
				case <-r.Context().Done():
				}
				return false
			})
			first, leave := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, _, err := r.Platforms(first, far, pull, nil); !errors.Is(err, context.Canceled) {
					t.Errorf("who left got %v", err)
				}
			})
			synctest.Wait() // it has begun the read that the others join
			for range 50 {
				wg.Go(func() { platforms(t, r, far, pull, nil) })
			}
			synctest.Wait()
			leave()
			synctest.Wait()
			close(release)
			wg.Wait()
			reg.wantAsked("GET manifests")
		})
	}
}

// TestReadStopsWithTheLastAsker is also the test that nothing is left behind:
// the bubble fails if a goroutine stays.
func TestReadStopsWithTheLastAsker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, r := setup(t)
		stopped := make(chan struct{})
		reg.guardWith(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v2/" {
				<-r.Context().Done()
				close(stopped)
			}
			return false
		})
		ctx, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, _, err := r.Platforms(ctx, far, "", nil); !errdefs.IsCanceled(err) {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		leave()
		wg.Wait()
		<-stopped
		if got := time.Since(start); got != 0 {
			t.Errorf("the read went on for %v", got)
		}
		reg.guardWith(nil)
		platforms(t, r, far, "", nil) // and the next one starts anew
	})
}

// TestCredentialsDoNotShareARead: a read under way is no one else's answer.
func TestCredentialsDoNotShareARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, r := setup(t)
		release := make(chan struct{})
		reg.guardWith(func(w http.ResponseWriter, r *http.Request) bool {
			<-release
			return wantBasic(w, r)
		})
		var wg sync.WaitGroup
		wg.Go(func() { platforms(t, r, far, "", alice) })
		wg.Go(func() {
			_, _, err := r.Platforms(t.Context(), far, "", nil)
			wantError(t, err, errdefs.ErrUnauthenticated)
		})
		synctest.Wait()
		close(release)
		wg.Wait()
	})
}
