package client

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// patience bounds what is waited for; nothing here should take a second.
const patience = time.Minute

var root = messages.Root(messages.DefaultRoot)

// bus is a NATS server on which what is said about the end of a job and what the
// stream has of it are two things, as they are for a moment on a cluster: say
// tells, and store puts it into the stream without telling anybody.
type bus struct {
	t     *testing.T
	nc    *nats.Conn
	js    jetstream.JetStream
	looks chan struct{} // at the stream
}

func newBus(t *testing.T) *bus {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	b := &bus{t: t, looks: make(chan struct{}, 1000)}
	if b.nc, err = nats.Connect(s.ClientURL()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.nc.Close)
	if b.js, err = jetstream.New(b.nc); err != nil {
		t.Fatal(err)
	}
	if _, err := b.js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: root.Stream(messages.StreamDone), Subjects: []string{"stored.*"}, AllowDirect: true,
		SubjectTransform: &jetstream.SubjectTransformConfig{Source: "stored.*", Destination: root.Done("{{wildcard(1)}}")},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.nc.Subscribe("$JS.API.DIRECT.GET."+root.Stream(messages.StreamDone)+".>", func(*nats.Msg) { b.looks <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	b.flush()
	return b
}

// client is one whose pauses between looks grow without a bound.
func (b *bus) client() *Client { return b.clientAt(b.nc.ConnectedUrl()) }

func (b *bus) clientAt(url string) *Client {
	b.t.Helper()
	c, err := Connect(b.t.Context(), Config{URL: url})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	c.lookAgain = 24 * time.Hour
	return c
}

func (b *bus) flush() {
	if err := b.nc.Flush(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bus) say(subject string, v any) {
	b.t.Helper()
	data, err := messages.Encode(v)
	if err == nil {
		err = b.nc.Publish(subject, data)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.flush()
}

func (b *bus) store(rec messages.Record) {
	b.t.Helper()
	data, err := messages.Encode(rec)
	if err == nil {
		_, err = b.js.Publish(b.t.Context(), "stored."+rec.Job.ID, data)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// looked waits until the stream has been looked at so many times more.
func (b *bus) looked(times int) {
	b.t.Helper()
	for range times {
		select {
		case <-b.looks:
		case <-time.After(patience):
			b.t.Fatal("nobody looks")
		}
	}
}

// valve is a way to the bus on which what comes back can be held up.
type valve struct {
	net.Listener
	shut sync.Mutex
}

func newValve(t *testing.T, to string) *valve {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	v := &valve{Listener: l}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				return
			}
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
			go func() { _, _ = io.Copy(v.to(near), far); _ = near.Close() }()
		}
	}()
	return v
}

func (v *valve) to(w io.Writer) io.Writer {
	return writer(func(p []byte) (int, error) {
		v.shut.Lock()
		defer v.shut.Unlock()
		return w.Write(p)
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
