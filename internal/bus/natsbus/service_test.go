package natsbus_test

import (
	"encoding/json"
	"testing"

	"github.com/nats-io/nats.go/micro"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// TestDiscovery asks as `nats micro info` does.
func TestDiscovery(t *testing.T) {
	b := connect(t, startServer(t, natsserver.Config{Sync: "1s"}).ClientURL())
	none := func(bus.Request) {}
	sub, err := b.Serve(bus.Service{
		Name: "shunt-worker", Version: "0.1.0", Description: "runs containers", Metadata: map[string]string{"node": "n1"},
		Endpoints: []bus.Endpoint{
			{Name: "cmd", Subject: "shunt.cmd.n1", Handler: none},
			{Name: "jobs", Subject: "shunt.placer.jobs", Queue: "placers", Handler: none, Metadata: map[string]string{"format": "json"}},
		},
	})
	must(t, err)
	reply, err := b.Request(t.Context(), bus.Message{Subject: "$SRV.INFO.shunt-worker"})
	must(t, err)
	var info micro.Info
	must(t, json.Unmarshal(reply.Data, &info))
	if info.Version != "0.1.0" || info.Description != "runs containers" || info.Metadata["node"] != "n1" || len(info.Endpoints) != 2 {
		t.Fatalf("got %+v", info)
	}
	for i, queue := range []string{"", "placers"} {
		if got := info.Endpoints[i].QueueGroup; got != queue {
			t.Errorf("endpoint %s has queue group %q, want %q", info.Endpoints[i].Name, got, queue)
		}
	}
	must(t, sub.Stop(t.Context()))
	_, err = b.Request(t.Context(), bus.Message{Subject: "$SRV.INFO.shunt-worker"})
	if err == nil {
		t.Error("a stopped service still answers")
	}
	if _, err := b.Serve(bus.Service{Name: "shunt worker", Version: "1"}); err == nil {
		t.Error("a name with a blank is no error")
	}
}
