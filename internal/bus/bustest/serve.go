package bustest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// serve serves endpoints under some name.
func (f *fixture) serve(b bus.Bus, endpoints ...bus.Endpoint) bus.Subscription {
	f.t.Helper()
	sub, err := b.Serve(bus.Service{
		Name: "test-service", Version: "1.2.3", Description: "for the test",
		Metadata: map[string]string{"node": "n1"}, Endpoints: endpoints,
	})
	must(f.t, err)
	return sub
}

// answer is a handler that says who it is.
func answer(t *testing.T, name string) func(bus.Request) {
	return func(r bus.Request) {
		if err := r.Respond(bus.Message{Data: []byte(name)}); err != nil {
			t.Errorf("%s: Respond: %v", name, err)
		}
	}
}

func serveFail(t *testing.T, f *fixture) {
	b := f.bus()
	f.serve(b, bus.Endpoint{Name: "fail", Subject: "fail", Handler: func(r bus.Request) {
		if err := r.Fail("404", "not_found: no such thing", []byte("body"), bus.Header{"Extra": "yes"}); err != nil {
			t.Errorf("Fail: %v", err)
		}
	}})
	got := value(b.Request(f.ctx(), text("fail", "")))(t)
	want := bus.Header{messages.HeaderErrorCode: "404", messages.HeaderError: "not_found: no such thing", "Extra": "yes"}
	for name, v := range want {
		if got.Header[name] != v {
			t.Errorf("header %s is %q, want %q", name, got.Header[name], v)
		}
	}
	if string(got.Data) != "body" {
		t.Errorf("body is %q", got.Data)
	}
}

func serveStream(t *testing.T, f *fixture) {
	b, asker := f.bus(), f.bus()
	f.serve(b, bus.Endpoint{Name: "stream", Subject: "stream", Handler: func(r bus.Request) {
		for i := range 3 {
			if err := b.Publish(f.ctx(), text(r.Message().Reply, fmt.Sprint(i))); err != nil {
				t.Errorf("Publish: %v", err)
			}
		}
	}})
	frames := f.listen(asker, "frames")
	must(t, asker.Publish(f.ctx(), bus.Message{Subject: "stream", Reply: "frames"}))
	wantTexts(t, texts(t, frames, 3), "0", "1", "2")
}

func serveQueue(t *testing.T, f *fixture) {
	first, second := f.bus(), f.bus()
	served := make(chan string, 1000)
	for name, b := range map[string]Bus{"first": first, "second": second} {
		f.serve(b, bus.Endpoint{Name: "q", Subject: "q.job", Queue: "workers", Handler: func(bus.Request) { served <- name }})
	}
	const n = 200
	asker := f.bus()
	for range n {
		must(t, asker.Publish(f.ctx(), text("q.job", "")))
	}
	count := map[string]int{}
	for range n {
		count[next(t, served)]++
	}
	if count["first"] == 0 || count["second"] == 0 {
		t.Fatalf("served by %v, want both to take part", count)
	}
	if len(served) > 0 {
		t.Fatalf("%d requests were served twice", len(served))
	}
}

func serveBroadcast(t *testing.T, f *fixture) {
	served := make(chan string, 10)
	for _, name := range []string{"first", "second"} {
		f.serve(f.bus(), bus.Endpoint{Name: "all", Subject: "all", Handler: func(bus.Request) { served <- name }})
	}
	must(t, f.bus().Publish(f.ctx(), text("all", "")))
	if a, b := next(t, served), next(t, served); a == b {
		t.Fatalf("%s heard it twice", a)
	}
}

// serveStop stops a service while a request is being handled and another waits:
// the first is answered, the second and all later ones find nobody.
func serveStop(t *testing.T, f *fixture) {
	b, asker := f.bus(), f.bus()
	begun, release := make(chan struct{}, 2), make(chan struct{})
	slow := func(r bus.Request) {
		begun <- struct{}{}
		<-release
		answer(t, "done")(r)
	}
	sub := f.serve(b, bus.Endpoint{Name: "slow", Subject: "slow", Handler: slow},
		bus.Endpoint{Name: "quick", Subject: "quick", Handler: answer(t, "quick")})
	ask := func() <-chan error {
		got := make(chan error, 1)
		go func() {
			m, err := asker.Request(f.ctx(), text("slow", ""))
			if err == nil && string(m.Data) != "done" {
				err = fmt.Errorf("answered %q", m.Data)
			}
			got <- err
		}()
		return got
	}
	first := ask()
	next(t, begun)
	second := ask()
	stopped := make(chan error, 1)
	go func() { stopped <- sub.Stop(f.ctx()) }()
	for stopping := false; !stopping; {
		_, err := asker.Request(f.ctx(), text("quick", ""))
		if stopping = errors.Is(err, bus.ErrNoResponders); !stopping {
			must(t, err)
		}
	}
	close(release)
	must(t, next(t, first))
	must(t, next(t, stopped))
	wantErr(t, next(t, second), bus.ErrNoResponders, "slow")
	wantErr(t, next(t, ask()), bus.ErrNoResponders, "slow")
}
