package natsbus_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestAppendNeedsNoJetStreamAPI appends as a user that may publish its lease,
// hear its own inbox, and nothing else: no subject of JetStream's API among it.
func TestAppendNeedsNoJetStreamAPI(t *testing.T) {
	const inbox = "_INBOX_n1"
	url := raw(t, server.Options{
		JetStream: true, StoreDir: t.TempDir(), MaxPayload: messages.MaxBusPayload,
		Users: []*server.User{
			{Username: "placer", Password: "p"},
			{Username: "worker", Password: "w", Permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: []string{"shunt.lease.n1"}},
				Subscribe: &server.SubjectPermission{Allow: []string{inbox + ".>"}},
			}},
		},
	})
	as := func(user string) string { return strings.Replace(url, "//", "//"+user+"@", 1) }
	placer := connect(t, as("placer:p"))
	ensure(t.Context(), t, placer)
	worker, err := natsbus.Connect(t.Context(), natsbus.Config{URL: as("worker:w"), InboxPrefix: inbox, Logger: logger(t)})
	must(t, err)
	defer func() { must(t, worker.Close(t.Context())) }()

	lease := func(b bus.Bus, expect uint64) (uint64, error) {
		return b.Append(t.Context(), bus.Message{Subject: "shunt.lease.n1", Data: []byte("{}"),
			Header: bus.Header{messages.HeaderExpectSeq: strconv.FormatUint(expect, 10)}})
	}
	first, err := lease(worker, 0)
	must(t, err)
	second, err := lease(worker, first)
	must(t, err)
	lost, err := lease(placer, second)
	must(t, err)
	_, err = lease(worker, second)
	conflict, ok := errors.AsType[*bus.ConflictError](err)
	if !ok || conflict.Last != lost || conflict.Subject != "shunt.lease.n1" {
		t.Fatalf("after a placer has written %d, a renewal gets %v", lost, err)
	}
	_, err = lease(worker, conflict.Last)
	must(t, err)
	brief, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // NATS does not answer what it forbids
	defer cancel()
	if _, err := worker.Last(brief, "SHUNT_LEASES", "shunt.lease.n1"); err == nil {
		t.Fatal("the worker may read the stream: the test shows nothing")
	}
}
