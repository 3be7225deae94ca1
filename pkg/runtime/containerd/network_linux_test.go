package containerd_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/network"
)

// networkTraces are what networks leave on the machine.
type networkTraces struct{ namespaces, veths, rules, leases, ports int }

func (b *bench) networkTraces() networkTraces {
	b.Helper()
	var n networkTraces
	run := filepath.Join(b.cfg.RunDir, "network")
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	b.must(err)
	n.namespaces = strings.Count(string(mounts), " "+run+"/")
	bridge := b.rt.Bridge()
	veths, err := filepath.Glob("/sys/class/net/" + bridge + "/brif/*")
	b.must(err)
	n.veths = len(veths)
	rules, err := exec.Command("iptables-save").Output()
	b.must(err)
	n.rules = strings.Count(string(rules), `name: \"`+bridge)
	leases, err := filepath.Glob(run + "/leases/*/*.*.*.*")
	b.must(err)
	for _, lease := range leases {
		if _, err := netip.ParseAddr(filepath.Base(lease)); err == nil {
			n.leases++
		}
	}
	claims, err := filepath.Glob(network.PortsDir + "/*-*-*")
	b.must(err)
	for _, claim := range claims {
		owner, err := os.ReadFile(claim)
		b.must(err)
		if strings.HasPrefix(string(owner), run+"/") {
			n.ports++
		}
	}
	return n
}

// fetch gets a path from an HTTP server.
func fetch(ctx context.Context, address, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (b *bench) ip(id runtime.ContainerID) netip.Addr {
	b.Helper()
	ip, err := b.rt.IP(b.ctx, id)
	b.must(err)
	return ip
}

func TestContainersTalkOverTheBridge(t *testing.T) {
	b := newBench(t)
	server := b.start(b.spec("http", "8080"))
	b.printed(server, "listening [::]:8080")
	address := b.ip(server)
	if !network.Pool.Contains(address) {
		t.Fatalf("the server's address is %v, want one of %v", address, network.Pool)
	}
	if got, out := b.run(b.spec("get", net.JoinHostPort(address.String(), "8080"), "/from-peer")); got != "/from-peer\n" {
		t.Errorf("the other container got %q, %+v", got, out)
	}
	if got, err := fetch(b.ctx, net.JoinHostPort(address.String(), "8080"), "/from-host"); got != "/from-host\n" {
		t.Errorf("the machine got %q, %v", got, err)
	}
	d, err := b.rt.Inspect(b.ctx, server)
	b.must(err)
	want := messages.Network{Network: "default", IPv4: address.String()}
	if d.IP != address.String() || len(d.Networks) != 1 || d.Networks[0].Network != want.Network || d.Networks[0].IPv4 != want.IPv4 {
		t.Errorf("inspect: ip %q, networks %+v, want %+v", d.IP, d.Networks, want)
	}
	s, err := b.rt.Stats(b.ctx, server)
	b.must(err)
	if s.Network.RxBytes == 0 || s.Network.TxBytes == 0 {
		t.Errorf("stats: network %+v after a request was answered", s.Network)
	}
}

func TestPublishedPorts(t *testing.T) {
	testenv.Iptables(t)
	b := newBench(t)
	spec := b.spec("http", "8080")
	spec.Ports = []messages.Port{{Container: 8080}, {Container: 8080, HostIP: "127.0.0.1", Protocol: "tcp"}}
	id := b.start(spec)
	b.printed(id, "listening [::]:8080")
	ports, err := b.rt.PortMappings(b.ctx, id)
	b.must(err)
	if len(ports) != 2 || ports[0].Host == 0 || ports[1].Host == 0 || ports[0].Host == ports[1].Host {
		t.Fatalf("ports are %+v, want two real host ports", ports)
	}
	if first, err := b.rt.PortOverride(b.ctx, id); err != nil || first != ports[0].Host {
		t.Errorf("port override is %d, %v, want %d", first, err, ports[0].Host)
	}
	for _, p := range ports {
		if got, err := fetch(b.ctx, fmt.Sprintf("127.0.0.1:%d", p.Host), "/published"); got != "/published\n" {
			t.Errorf("over the published port %+v: %q, %v", p, got, err)
		}
	}
	b.must(b.rt.Stop(b.ctx, id, 0))
	b.must(b.rt.Start(b.ctx, id))
	again, err := b.rt.PortMappings(b.ctx, id)
	b.must(err)
	if again[0].Host != ports[0].Host {
		t.Errorf("after a second start the port is %d, want %d again", again[0].Host, ports[0].Host)
	}
}

func TestPublishedUDPPort(t *testing.T) {
	testenv.Iptables(t)
	b := newBench(t)
	spec := b.spec("udp-echo", "5353")
	spec.Ports = []messages.Port{{Container: 5353, Protocol: "udp"}}
	id := b.start(spec)
	b.printed(id, "listening [::]:5353")
	port, err := b.rt.PortOverride(b.ctx, id)
	b.must(err)
	conn, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
	b.must(err)
	defer conn.Close()
	until(t, "the datagram comes back", func() bool {
		fmt.Fprintln(conn, "hello")
		b.must(conn.SetReadDeadline(time.Now().Add(time.Second)))
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return line == "hello\n"
	})
}

func TestTakenPortIsNamed(t *testing.T) {
	testenv.Iptables(t)
	b := newBench(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	defer taken.Close()
	port := uint16(taken.Addr().(*net.TCPAddr).Port)
	spec := b.spec("http", "8080")
	spec.Ports = []messages.Port{{Container: 8080}, {Container: 8080, Host: port}}
	refused := func(who string) {
		id := b.create(spec)
		err := b.rt.Start(b.ctx, id)
		if !errdefs.IsUnavailable(err) || !strings.Contains(err.Error(), fmt.Sprintf("spec.ports[1].host: %d/tcp is taken", port)) {
			t.Errorf("%s: start: %v, want Unavailable that names the field and %d", who, err, port)
		}
		if s, err := b.rt.State(b.ctx, id); err != nil || s.Phase != runtime.PhaseFailed {
			t.Errorf("%s: state is %+v, %v, want failed", who, s, err)
		}
	}
	refused("a program of the machine has it")
	taken.Close()
	b.start(spec)
	refused("a container has it")
}

func TestNetworkNoneIsTheLoopback(t *testing.T) {
	b := newBench(t)
	spec := b.spec("cat", "/proc/net/dev")
	spec.Network = messages.NetworkNone
	got, _ := b.run(spec)
	if lines := strings.Split(strings.TrimSpace(got), "\n"); len(lines) != 3 || !strings.Contains(lines[2], "lo:") {
		t.Errorf("interfaces are %q, want the loopback alone", got)
	}
	spec = b.spec("sleep", "60")
	spec.Network = messages.NetworkNone
	if ip := b.ip(b.start(spec)); ip.IsValid() {
		t.Errorf("the address is %v, want none", ip)
	}
}

func TestNetworkHost(t *testing.T) {
	b := newBench(t)
	own, err := os.Readlink("/proc/self/ns/net")
	b.must(err)
	spec := b.spec("sleep", "60")
	spec.Network = messages.NetworkHost
	pid, err := b.rt.PID(b.ctx, b.start(spec))
	b.must(err)
	if its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err != nil || its != own {
		t.Errorf("the container is in %s, %v, want the machine's %s", its, err, own)
	}
}

func TestNetworkOfAnotherContainer(t *testing.T) {
	b := newBench(t)
	server := b.start(b.spec("http", "8080"))
	b.printed(server, "listening [::]:8080")
	b.must(b.rt.Rename(b.ctx, server, "web"))
	for _, name := range []string{server.String(), "web"} {
		spec := b.spec("get", "127.0.0.1:8080", "/shared")
		spec.Network = messages.NetworkContainer + name
		if got, out := b.run(spec); got != "/shared\n" {
			t.Errorf("container:%s: got %q, %+v", name, got, out)
		}
	}
	spec := b.spec("sleep", "60")
	spec.Network = "container:web"
	if ip := b.ip(b.start(spec)); ip != b.ip(server) {
		t.Errorf("the address is %v, want the other's, %v", ip, b.ip(server))
	}
	b.must(b.rt.Stop(b.ctx, server, 0))
	id := b.create(spec)
	if err := b.rt.Start(b.ctx, id); !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "spec.network: container:web") {
		t.Errorf("start beside a stopped container: %v, want FailedPrecondition that names the field", err)
	}
	spec.Network = "container:nobody"
	if err := b.rt.Start(b.ctx, b.create(spec)); !errdefs.IsNotFound(err) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("start beside nobody: %v, want NotFound that names it", err)
	}
}

func TestPortsNeedTheDefaultNetwork(t *testing.T) {
	b := newBench(t)
	for _, n := range []string{"host", "none", "container:web"} {
		spec := b.spec("true")
		spec.Network, spec.Ports = n, []messages.Port{{Container: 80}}
		err := b.rt.Create(b.ctx, b.id(), spec, runtime.CreateOptions{})
		if !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "spec.ports") || !strings.Contains(err.Error(), n) {
			t.Errorf("ports on network %s: %v, want InvalidArgument that names both", n, err)
		}
	}
}

func TestNamesInside(t *testing.T) {
	b := newBench(t)
	spec := b.spec("sh", "-c", "cat /etc/hosts /etc/resolv.conf /etc/hostname")
	spec.Hostname, spec.DNS, spec.ExtraHosts = "box", []string{"192.0.2.53"}, map[string]string{"db": "192.0.2.7"}
	for _, n := range []string{messages.NetworkDefault, messages.NetworkNone, messages.NetworkHost} {
		spec.Network = n
		got, _ := b.run(spec)
		for _, want := range []string{"localhost", "\tbox\n", "192.0.2.7\tdb\n", "nameserver 192.0.2.53\n", "box\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("network %s: /etc has %q, want %q", n, got, want)
			}
		}
	}
	spec.Mounts = []messages.Mount{{Type: messages.MountTmpfs, Target: "/etc"}, {Type: messages.MountVolume, Source: "own", Target: "/etc/hosts"}}
	spec.Args = []string{"cat", "/etc/hostname", "/etc/hosts"}
	if got := b.complaint(spec); !strings.Contains(got, "is a directory") {
		t.Errorf("a volume in the place of /etc/hosts: %q, want the directory that it is", got)
	}
	spec.Mounts = nil
	spec.Network = messages.NetworkDefault
	spec.Args = []string{"sh", "-c", "cat /etc/hosts; sleep 60"}
	id := b.start(spec)
	want := b.ip(id).String() + "\tbox"
	b.printed(id, want)
}

func TestEndedContainersGiveTheirNetworkBack(t *testing.T) {
	testenv.Iptables(t)
	b := newBench(t)
	spec := b.spec("http", "8080")
	spec.Ports = []messages.Port{{Container: 8080}}
	id := b.start(spec)
	before := b.networkTraces()
	if before.namespaces != 1 || before.veths != 1 || before.rules == 0 || before.leases != 1 || before.ports != 1 {
		t.Fatalf("a running container has %+v, want some of each", before)
	}
	b.must(b.rt.Stop(b.ctx, id, 0))
	until(t, "what the ended container had is given back", func() bool { return b.networkTraces() == networkTraces{} })
	b.must(b.rt.Start(b.ctx, id))
	b.must(b.rt.Remove(b.ctx, id, runtime.RemoveOptions{Force: true}))
	if left := b.networkTraces(); left != (networkTraces{}) {
		t.Errorf("after the removal %+v is left", left)
	}
}
