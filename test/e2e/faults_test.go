package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/messages/messagestest"
)

// TestFaults sends everything that can be wrong with a message to a worker and
// a placer. Each is answered as the contract says, and stops nothing.
func TestFaults(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.pretender(linuxNode, "linux/amd64")
	nc, err := nats.Connect(f.nats.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	// Whether anything was wrong with the bodies alone shows in the end: the
	// same job, sent as it should be, runs.
	const job = "job-of-a-stranger"
	s := &stranger{t: t, nc: nc, answers: make(chan *nats.Msg, 16)}
	s.listen(messages.Root("shunt").Outcome(messages.PlacerNode, job))
	sent := 0
	for _, fault := range messagestest.Faults(messages.DefaultRoot, linuxNode, job) {
		if strings.HasPrefix(fault.Subject, "shunt.done.") || strings.HasPrefix(fault.Subject, "shunt.dead.") {
			fault.Subject += "-of-another" // what is said there about a job is the last word on it
		}
		s.send(fault)
		sent++
	}
	if sent < 500 {
		t.Errorf("only %d faults were sent", sent)
	}
	if !f.placer.running() || !worker.running() {
		t.Fatal("a process has ended")
	}
	for _, subject := range []string{"shunt.placer.info", "shunt.node.linux-1.info"} {
		if answer := f.nats.request(subject, ""); answer.code != "" || answer.at("v") != "1" {
			t.Errorf("%s is answered with %s and %s", subject, answer.message, answer)
		}
	}
	f.awaitNode(linuxNode, "alive")
	f.nats.publish("shunt.job."+job, fmt.Sprintf(`{"v":1,"id":%q,"op":"run","spec":{"image":%q}}`, job, f.linuxImage("true")))
	expect(t, "the last word", f.nats.done(job), map[string]string{"state": "completed", "node": linuxNode, "attempt": "1"})
}

// stranger sends faults and looks how they are answered.
type stranger struct {
	t       *testing.T
	nc      *nats.Conn
	answers chan *nats.Msg // what placers say of jobs from intake
}

func (s *stranger) listen(subject string) {
	s.t.Helper()
	if _, err := s.nc.ChanSubscribe(subject, s.answers); err != nil {
		s.t.Fatal(err)
	}
	if err := s.nc.Flush(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stranger) send(f messagestest.Fault) {
	s.t.Helper()
	switch {
	case f.Part == messages.PartRequest:
		s.ask(f)
	case f.Message == "Job" || f.Message == "Cancel":
		s.submit(f)
	default:
		s.publish(f)
	}
}

// ask sends a fault as a request; the answer has the error in its headers, and
// that of a command in its body too.
func (s *stranger) ask(f messagestest.Fault) {
	s.t.Helper()
	answer, err := s.nc.Request(f.Subject, f.Body, patience)
	if err != nil {
		s.t.Errorf("%s: %v", f.Name, err)
		return
	}
	want, field := f.WantCode, f.WantField
	number, text := answer.Header.Get(messages.HeaderErrorCode), answer.Header.Get(messages.HeaderError)
	if number != fmt.Sprint(want.HTTPStatus()) || !strings.HasPrefix(text, string(want)+": ") || !strings.Contains(text, field) {
		s.t.Errorf("%s: answered with %s, %q; want %d, %q and the field %q", f.Name, number, text, want.HTTPStatus(), want, field)
	}
	if f.Message != "Job" {
		return
	}
	s.rejected(f, answer.Data, linuxNode)
}

// submit publishes a fault to intake; a placer says what is wrong with it.
func (s *stranger) submit(f messagestest.Fault) {
	s.t.Helper()
	s.publish(f)
	select {
	case answer := <-s.answers:
		s.rejected(f, answer.Data, messages.PlacerNode)
	case <-time.After(patience):
		s.t.Fatalf("%s: not answered", f.Name)
	}
}

// rejected checks an outcome that says what is wrong with a job.
func (s *stranger) rejected(f messagestest.Fault, data []byte, node string) {
	s.t.Helper()
	outcome := parse(s.t, string(data))
	for path, want := range map[string]string{
		"status": "rejected", "node": node, "error.code": string(f.WantCode), "error.field": f.WantField,
	} {
		if got := outcome.at(path); got != want {
			s.t.Errorf("%s: the outcome's %s is %q, want %q: %s", f.Name, path, got, want, data)
		}
	}
}

// publish sends a fault to whoever listens; a stream takes it, and nobody
// answers.
func (s *stranger) publish(f messagestest.Fault) {
	s.t.Helper()
	if f.Part != messages.PartStream {
		if err := s.nc.Publish(f.Subject, f.Body); err != nil {
			s.t.Errorf("%s: %v", f.Name, err)
		}
		return
	}
	ack, err := s.nc.Request(f.Subject, f.Body, patience)
	if err != nil {
		s.t.Errorf("%s: no PubAck: %v", f.Name, err)
		return
	}
	if refusal := parse(s.t, string(ack.Data)).at("error.description"); refusal != "" {
		s.t.Errorf("%s: the stream refuses it: %s", f.Name, refusal)
	}
}
