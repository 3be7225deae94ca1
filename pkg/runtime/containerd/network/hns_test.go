package network

import (
	"slices"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestPortsAsHNSTakesThem(t *testing.T) {
	got, err := hnsMappings([]messages.Port{
		{Container: 80, Host: 8080}, {Container: 53, Host: 5353, Protocol: "udp", HostIP: "10.0.0.4"}, {Container: 81, Host: 8081, HostIP: "0.0.0.0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []hnsMapping{
		{Protocol: 6, InternalPort: 80, ExternalPort: 8080}, {Protocol: 17, InternalPort: 53, ExternalPort: 5353, VIP: "10.0.0.4"},
		{Protocol: 6, InternalPort: 81, ExternalPort: 8081},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if p := want[1].port(); p != (messages.Port{Container: 53, Host: 5353, Protocol: "udp", HostIP: "10.0.0.4"}) {
		t.Errorf("it is read back as %+v", p)
	}
	if _, err := hnsMappings([]messages.Port{{Container: 1, Host: 1, Protocol: "sctp"}}); !errdefs.IsInvalidArgument(err) {
		t.Errorf("sctp: %v", err)
	}
}

// A port that was left open is none that a mapping has, none that a program has,
// and none of the same container's; all protocols have ports of their own.
func TestOpenPortsAreFilled(t *testing.T) {
	taken := []hnsMapping{{Protocol: hnsTCP, ExternalPort: 20000}, {Protocol: hnsTCP, ExternalPort: 20002, VIP: "10.0.0.4"}}
	used := func(p messages.Port) bool { return p.Host != 20001 }
	got, err := fillPorts([]messages.Port{{Container: 1}, {Container: 2}, {Container: 3, Protocol: "udp"}, {Container: 4, HostIP: "10.0.0.5"}}, taken, 0, used)
	if err != nil {
		t.Fatal(err)
	}
	var hosts []uint16
	for _, p := range got {
		hosts = append(hosts, p.Host)
	}
	if want := []uint16{20003, 20004, 20000, 20002}; !slices.Equal(hosts, want) {
		t.Errorf("chosen were %v, want %v", hosts, want)
	}
}

func TestPortsThatCannotBeHad(t *testing.T) {
	taken := []hnsMapping{{Protocol: hnsTCP, ExternalPort: 8080, VIP: "10.0.0.4"}}
	for name, p := range map[string]messages.Port{
		"another's":                {Container: 1, Host: 8080, HostIP: "10.0.0.4"},
		"another's on one address": {Container: 1, Host: 8080},
		"none is free":             {Container: 1},
	} {
		if _, err := fillPorts([]messages.Port{p}, taken, 7, func(messages.Port) bool { return false }); !errdefs.IsUnavailable(err) {
			t.Errorf("%s: %v, want Unavailable", name, err)
		}
	}
	if _, err := fillPorts([]messages.Port{{Container: 1, Host: 8080, HostIP: "10.0.0.5"}}, taken, 0, nil); err != nil {
		t.Errorf("on another address: %v", err)
	}
}

// What is swept is of this instance, and of nothing that runs; each once.
func TestLeaksOfEndpointsAndNamespaces(t *testing.T) {
	endpoints := []string{hnsName("ab12", "gone"), hnsName("ab12", "runs"), hnsName("ffff", "other"), "Ethernet", hnsName("ab12", "")}
	got := hnsLeaks("ab12", endpoints, []string{"gone", "runs", "half"}, func(id string) bool { return id == "runs" })
	if want := []string{"gone", "half"}; !slices.Equal(got, want) {
		t.Errorf("leaks are %v, want %v", got, want)
	}
}
