package client_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// script is the far end of a streamed answer, said frame by frame, for what a
// worker does only under load or when it dies.
type script struct {
	t     *testing.T
	nc    *nats.Conn
	asked chan *nats.Msg // the requests
	reply string
	seq   int
	said  map[string]chan *nats.Msg // what the asker says in a session
}

// scripted plays the verb of the node "n", which no worker has.
func scripted(t *testing.T, verb messages.WorkerVerb) (*script, *client.Node) {
	t.Helper()
	f, c := started(t)
	nc, err := nats.Connect(f.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s := &script{t: t, nc: nc, asked: make(chan *nats.Msg, 10), said: map[string]chan *nats.Msg{}}
	s.subscribe(root.NodeVerb("n", verb), s.asked)
	for _, part := range []string{"in", "resize", "signal", "credit"} {
		s.said[part] = make(chan *nats.Msg, 1000)
		s.subscribe(root.ExecSession("n", "s1", part), s.said[part])
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return s, c.Node("n")
}

func (s *script) subscribe(subject string, to chan *nats.Msg) {
	s.t.Helper()
	if _, err := s.nc.ChanSubscribe(subject, to); err != nil {
		s.t.Fatal(err)
	}
}

// hear waits for the next request, and begins its answer.
func (s *script) hear() []byte {
	s.t.Helper()
	m := s.next(s.asked)
	s.reply, s.seq = m.Reply, 0
	return m.Data
}

func (s *script) next(from chan *nats.Msg) *nats.Msg {
	s.t.Helper()
	select {
	case m := <-from:
		if strings.HasSuffix(m.Subject, ".in") { // the program has taken it
			if err := m.Respond(nil); err != nil {
				s.t.Fatal(err)
			}
		}
		return m
	case <-time.After(patience):
		s.t.Fatal("nothing is said")
		return nil
	}
}

// say sends a frame; headers are given as name, value.
func (s *script) say(data string, headers ...string) {
	s.t.Helper()
	m := nats.NewMsg(s.reply)
	s.seq++
	m.Header.Set(messages.HeaderSeq, strconv.Itoa(s.seq))
	for i := 0; i < len(headers); i += 2 {
		m.Header.Set(headers[i], headers[i+1])
	}
	m.Data = []byte(data)
	if err := s.nc.PublishMsg(m); err != nil {
		s.t.Fatal(err)
	}
}

func (s *script) out(data string) { s.t.Helper(); s.say(data, messages.HeaderStream, "stdout") }

func (s *script) end(headers ...string) {
	s.t.Helper()
	s.say("", append(headers, messages.HeaderStatus, messages.StatusEnd)...)
}
