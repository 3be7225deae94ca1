package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// What is begun is found, however many names come before it.
func TestCompletionBehindManyNames(t *testing.T) {
	p := sitDown(t)
	nc, err := nats.Connect(p.fleet.placer.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for i := range mostCompletions {
		node := fmt.Sprintf("many-%03d", i)
		data, err := messages.Encode(messages.Capabilities{V: messages.Version, Node: node, Incarnation: "j" + node + ".1", Seq: 1,
			Host: messages.Host{OS: "linux", Arch: "amd64", CPUs: 1, Memory: 1 << 30}})
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Publish(messages.Root(messages.DefaultRoot).Capabilities(node), data); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SHUNT_NATS", p.fleet.placer.URL)
	p.eventually(func() bool {
		return strings.Contains(completed(t, "drain", ""), fmt.Sprintf("many-%03d", mostCompletions-2))
	})
	p.wants(completed(t, "drain", "win"), "win-1")
	p.wants(completed(t, "pull", "x", "--node", "linux-1,win"), "linux-1,win-1")
}
