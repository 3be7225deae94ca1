package network

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/internal/testenv"
)

// within runs f in a network namespace. Sockets made there stay there.
func within(t *testing.T, namespace string, f func() error) {
	t.Helper()
	if err := onThread(func() error {
		there, err := os.Open(namespace)
		if err != nil {
			return err
		}
		defer there.Close()
		if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	}); err != nil {
		t.Fatal(err)
	}
}

// outside is another machine on a wire of its own with this one, that knows no
// way to a container: its namespace, and the addresses at both ends.
func outside(t *testing.T, n *Networks) (namespace, here, there string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	namespace = filepath.Join(t.TempDir(), "outside")
	must(pinNew(namespace))
	t.Cleanup(func() { must(unpin(namespace)) })
	net3 := 64 + n.cfg.Instance[0]%64 // 198.18.0.0/15 is for such tests
	here, there = fmt.Sprintf("198.18.%d.1", net3), fmt.Sprintf("198.18.%d.2", net3)
	near, far := "st-"+n.cfg.Instance[:8]+"-a", "st-"+n.cfg.Instance[:8]+"-b"
	wire := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: near}, PeerName: far}
	must(netlink.LinkAdd(wire))
	t.Cleanup(func() { must(netlink.LinkDel(wire)) })
	f, err := os.Open(namespace)
	must(err)
	defer f.Close()
	peer, err := netlink.LinkByName(far)
	must(err)
	must(netlink.LinkSetNsFd(peer, int(f.Fd())))
	up := func(name, address string) error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		ip, err := netlink.ParseAddr(address + "/24")
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(link, ip); err != nil {
			return err
		}
		return netlink.LinkSetUp(link)
	}
	must(up(near, here))
	within(t, namespace, func() error { return up(far, there) })
	return namespace, here, there
}

func TestContainersReachOthersUnderTheMachinesAddress(t *testing.T) {
	testenv.Iptables(t)
	n := testNetworks(t, &bytes.Buffer{})
	if err := n.Prepare(t.Context(), "c", Request{Hostname: "c"}); err != nil {
		t.Fatal(err)
	}
	if err := n.Connect(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	namespace, here, there := outside(t, n)
	var server net.Listener
	within(t, namespace, func() (err error) {
		server, err = net.Listen("tcp4", there+":0")
		return err
	})
	defer server.Close()
	seen := make(chan string, 1)
	go func() {
		conn, err := server.Accept()
		if err != nil {
			seen <- err.Error()
			return
		}
		defer conn.Close()
		host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
		seen <- host
	}()
	within(t, n.Namespace("c"), func() error {
		conn, err := net.DialTimeout("tcp4", server.Addr().String(), 10*time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if from := <-seen; from != here {
		t.Errorf("the other machine sees %s, want this machine's %s", from, here)
	}
}
