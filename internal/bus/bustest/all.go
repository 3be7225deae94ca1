package bustest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// all is what All gives, in short, and the error at its end.
func (f *fixture) all(b bus.Bus, stream, subject string) (bodies []string, err error) {
	for m, err := range b.All(f.ctx(), stream, subject) {
		if err != nil {
			return bodies, err
		}
		bodies = append(bodies, string(m.Data))
	}
	return bodies, nil
}

func allOfAStream(t *testing.T, f *fixture) {
	b := f.laid()
	if got := value(f.all(b, "LOG", "log.>"))(t); len(got) > 0 {
		t.Fatalf("an empty stream holds %q", got)
	}
	first := value(b.Append(f.ctx(), bus.Message{Subject: "log.a.1", Header: bus.Header{"K": "v"}, Data: []byte("1")}))(t)
	f.append(b, "log.b.1", "2")
	f.append(b, "log.a.2", "3", "")
	f.append(b, "log.a", "4")
	for subject, want := range map[string][]string{
		"log.>": {"1", "2", "3", "", "4"}, ">": {"1", "2", "3", "", "4"}, "log.a.*": {"1", "3", ""}, "log.*.1": {"1", "2"},
		"log.a": {"4"}, "log.c": nil, "state.x": nil,
	} {
		wantTexts(t, value(f.all(b, "LOG", subject))(t), want...)
	}
	for m, err := range b.All(f.ctx(), "LOG", "log.a.1") {
		must(t, err)
		if m.Sequence != first || m.Subject != "log.a.1" || len(m.Header) != 1 || m.Header["K"] != "v" || m.At.IsZero() {
			t.Fatalf("got %+v", m)
		}
	}
	_, err := f.all(b, "NONE", "log.>")
	wantErr(t, err, bus.ErrNotFound, "NONE")
	if _, err := f.all(b, "LOG", ""); err == nil {
		t.Fatal("no subject is no error")
	}
}

func allOfAWorkQueue(t *testing.T, f *fixture) {
	b := f.laid()
	f.append(b, "work.x", "1", "2", "3")
	got, _ := f.consume(b, bus.Consumer{Stream: "WORK", Name: "workers"})
	next(t, got)
	must(t, next(t, got).Ack(f.ctx()))
	eventually(t, "what is done with is not read", func() bool {
		return slices.Equal(value(f.all(b, "WORK", "work.*"))(t), []string{"1", "3"})
	})
}

// allWhileItChanges reads more messages than come at once, while new ones come
// in, and old ones go.
func allWhileItChanges(t *testing.T, f *fixture) {
	b := f.laid()
	const n = 600
	for i := range n {
		f.append(b, "log.x", fmt.Sprint(i))
	}
	read := 0
	for m, err := range b.All(f.ctx(), "LOG", "log.*") {
		must(t, err)
		if string(m.Data) != fmt.Sprint(read) {
			t.Fatalf("message %d is %q", read, m.Data)
		}
		read++
		if read <= 3*n { // as many as there would be if it did not end
			f.append(b, "log.x", fmt.Sprint(n+read))
		}
	}
	if read != n {
		t.Fatalf("read %d messages, %d were there when it began", read, n)
	}
	f.append(b, "state.a", "a")
	f.append(b, "state.b", "b")
	var keys []string
	for m, err := range b.All(f.ctx(), "STATE", "state.*") {
		must(t, err)
		keys = append(keys, m.Subject)
		f.append(b, "state.b", "takes the place of the other")
	}
	if len(keys) == 0 || len(keys) > 2 || keys[0] != "state.a" {
		t.Fatalf("read %q", keys)
	}
}

func allEnds(t *testing.T, f *fixture) {
	b := f.laid()
	f.append(b, "log.x", "1", "2", "3")
	for m, err := range b.All(f.ctx(), "LOG", "log.x") {
		must(t, err)
		wantTexts(t, []string{string(m.Data)}, "1")
		break
	}
	ctx, cancel := context.WithCancel(f.ctx())
	cancel()
	read := 0
	var last error
	for _, err := range b.All(ctx, "LOG", "log.x") {
		last = err
		read++
	}
	wantErr(t, last, context.Canceled, "LOG", "log.x")
	if read != 1 {
		t.Fatalf("after its context ended, All gave %d", read)
	}
}
