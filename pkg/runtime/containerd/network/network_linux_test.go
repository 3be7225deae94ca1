package network

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// testNetworks are a node's, taken away when the test ends.
func testNetworks(t *testing.T, log *bytes.Buffer) *Networks {
	t.Helper()
	tools := testenv.Tools(t)
	hash := make([]byte, 6)
	_, _ = rand.Read(hash)
	instance := hex.EncodeToString(hash)
	n := open(t, Config{
		Instance: instance, StateDir: t.TempDir(), RunDir: filepath.Join("/run/shunt", "test-"+instance),
		Plugins: []string{filepath.Join(tools, "cni")}, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	t.Cleanup(func() {
		if err := n.Destroy(context.Background()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat("/sys/class/net/" + n.Bridge()); err == nil {
			t.Error("the bridge is left")
		}
		if rules := savedRules(t); strings.Contains(rules, n.Bridge()) {
			t.Errorf("rules are left: %s", rules)
		}
	})
	return n
}

func open(t *testing.T, cfg Config) *Networks {
	t.Helper()
	n, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// savedRules are those of the machine's packet filter; none without iptables.
func savedRules(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("iptables-save").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// traces are all that is on the machine of a node's containers, as text.
func (n *Networks) traces(t *testing.T) string {
	t.Helper()
	var found []string
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, n.cfg.RunDir) {
			found = append(found, "mount "+line)
		}
	}
	for line := range strings.Lines(savedRules(t)) {
		if strings.Contains(line, n.cfg.name()) {
			found = append(found, "rule "+line)
		}
	}
	for _, pattern := range []string{
		n.cfg.RunDir + "/containers/*/netns", n.cniResults(), n.cfg.leasesDir() + "/*/10.*", "/sys/class/net/" + n.Bridge() + "/brif/*",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, files...)
	}
	claims, err := n.ports.claims()
	if err != nil {
		t.Fatal(err)
	}
	for name, owner := range claims {
		if strings.HasPrefix(owner, n.cfg.RunDir) {
			found = append(found, "port "+name)
		}
	}
	return strings.Join(found, "\n")
}

func (n *Networks) cniResults() string { return n.cfg.cniDir() + "/results/*" }

func published() Request {
	return Request{Hostname: "web", Ports: []messages.Port{{Container: 80}, {Container: 53, Protocol: "udp"}}}
}

// TestSweepAfterAKillAtAnyStep leaves what a process leaves that is killed
// between two steps of a start or of a removal.
func TestSweepAfterAKillAtAnyStep(t *testing.T) {
	testenv.Iptables(t)
	n := testNetworks(t, &bytes.Buffer{})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	connect := func(id string) {
		t.Helper()
		must(n.Prepare(ctx, id, published()))
		must(n.Connect(ctx, id))
	}
	for name, leave := range map[string]func(id string){
		"after the directory": func(id string) { must(os.MkdirAll(n.cfg.dir(id), 0o711)) },
		"before the pin": func(id string) {
			must(os.MkdirAll(n.cfg.dir(id), 0o711))
			must(os.WriteFile(n.cfg.namespace(id), nil, 0o400))
		},
		"after the namespace":   func(id string) { must(os.MkdirAll(n.cfg.dir(id), 0o711)); must(pinNew(n.cfg.namespace(id))) },
		"after the preparation": func(id string) { must(n.Prepare(ctx, id, published())) },
		"after the plugins": func(id string) {
			must(n.Prepare(ctx, id, published()))
			e, err := n.Endpoint(id)
			must(err)
			_, err = n.add(ctx, id, e.Ports)
			must(err)
		},
		"between the plugins": func(id string) {
			must(n.Prepare(ctx, id, published()))
			l, done, err := n.open()
			must(err)
			done()
			_, err = n.cni.AddNetworkList(ctx, l.plain, n.runtimeConf(id, nil))
			must(err)
			results, err := filepath.Glob(n.cniResults())
			must(err)
			for _, r := range results {
				must(os.Remove(r))
			}
		},
		"when it runs":             func(id string) { connect(id) },
		"after a reboot of a kind": func(id string) { connect(id); must(unix.Unmount(n.cfg.namespace(id), unix.MNT_DETACH)) },
		"all but the lease": func(id string) {
			connect(id)
			leases, err := filepath.Glob(n.cfg.leasesDir() + "/*/10.*")
			must(err)
			must(n.Forget(ctx, id))
			must(os.WriteFile(leases[0], []byte(id+"\r\neth0"), 0o600))
		},
		"all but the result": func(id string) {
			connect(id)
			must(unpin(n.cfg.namespace(id)))
			must(os.RemoveAll(n.cfg.dir(id)))
		},
	} {
		leave("dead")
		if err := open(t, n.cfg).Sweep(ctx, func(string) bool { return false }, func(string) bool { return false }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if left := n.traces(t); left != "" {
			t.Errorf("%s: after the sweep there is left:\n%s", name, left)
		}
	}
}

func TestSweepLeavesWhatRuns(t *testing.T) {
	testenv.Iptables(t)
	n := testNetworks(t, &bytes.Buffer{})
	for _, id := range []string{"runs", "ended"} {
		if err := n.Prepare(t.Context(), id, published()); err != nil {
			t.Fatal(err)
		}
		if err := n.Connect(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	before, err := n.Endpoint("runs")
	if err != nil || !before.Address.IsValid() || len(before.Ports) != 2 {
		t.Fatalf("endpoint is %+v, %v, want an address and two ports", before, err)
	}
	again := open(t, n.cfg)
	if err := again.Sweep(t.Context(), func(id string) bool { return id == "runs" }, func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	after, err := again.Endpoint("runs")
	if err != nil || after.Address != before.Address || !isPinned(n.cfg.namespace("runs")) {
		t.Errorf("after the sweep the endpoint is %+v, %v, want %+v", after, err, before)
	}
	left := again.traces(t)
	if strings.Contains(left, "ended") || strings.Count(left, "/leases/") != 1 || strings.Count(left, "\nport ") != 2 || !strings.Contains(left, `id: \"runs\"`) {
		t.Errorf("after the sweep there is:\n%s", left)
	}
	if end, err := again.Endpoint("ended"); err != nil || end.Address.IsValid() {
		t.Errorf("the ended one's endpoint is %+v, %v, want no address", end, err)
	}
}

func TestEverythingMayBeDoneAgain(t *testing.T) {
	testenv.Iptables(t)
	n := testNetworks(t, &bytes.Buffer{})
	for range 3 {
		if err := n.Prepare(t.Context(), "c", published()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := n.Connect(t.Context(), "c"); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 {
		if err := n.Disconnect(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := n.Forget(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
	}
	if left := n.traces(t); left != "" {
		t.Errorf("there is left:\n%s", left)
	}
}

func TestWithoutIptables(t *testing.T) {
	var log bytes.Buffer
	n := testNetworks(t, &log)
	t.Setenv("PATH", t.TempDir())
	if err := n.CanConnect(false); err != nil {
		t.Errorf("without ports: %v", err)
	}
	if err := n.CanConnect(true); !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "spec.ports") || !strings.Contains(err.Error(), "iptables") {
		t.Errorf("with ports: %v, want FailedPrecondition that names spec.ports and iptables", err)
	}
	for i := range 2 {
		id := fmt.Sprint("c", i)
		if err := n.Prepare(t.Context(), id, Request{Hostname: id}); err != nil {
			t.Fatal(err)
		}
		if err := n.Connect(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if e, err := n.Endpoint(id); err != nil || !e.Address.IsValid() {
			t.Errorf("%s has %+v, %v, want an address", id, e, err)
		}
	}
	if warnings := strings.Count(log.String(), "level=WARN"); warnings != 1 || !strings.Contains(log.String(), "iptables") {
		t.Errorf("%d warnings, want one that names iptables:\n%s", warnings, log.String())
	}
}

// TestRulesAreTriedAgain: iptables that fails for a moment, or is installed
// later, costs the containers of that time their way out, and no later ones.
func TestRulesAreTriedAgain(t *testing.T) {
	testenv.Iptables(t)
	var log bytes.Buffer
	n := testNetworks(t, &log)
	path := os.Getenv("PATH")
	connect := func(id, programs string) {
		t.Helper()
		t.Setenv("PATH", programs)
		if err := errors.Join(n.Prepare(t.Context(), id, Request{Hostname: id}), n.Connect(t.Context(), id)); err != nil {
			t.Fatal(err)
		}
	}
	rules := func() int { return strings.Count(savedRules(t), "--comment "+n.Bridge()) }
	connect("first", t.TempDir())
	t.Setenv("PATH", path)
	if rules() != 0 {
		t.Fatal("there are rules although there was no iptables")
	}
	connect("second", path)
	if got, want := rules(), len(rulesFor(n.Bridge(), n.ready.subnet)); got != want {
		t.Errorf("%d rules are there with the second container, want %d:\n%s", got, want, log.String())
	}
	if !strings.Contains(log.String(), "level=INFO") {
		t.Errorf("that it is well again is not said:\n%s", log.String())
	}
}

func TestMissingPluginIsNamed(t *testing.T) {
	n := testNetworks(t, &bytes.Buffer{})
	cfg := n.cfg
	cfg.Plugins = []string{t.TempDir()}
	if err := open(t, cfg).CanConnect(false); !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "bridge") || !strings.Contains(err.Error(), cfg.Plugins[0]) {
		t.Errorf("without plugins: %v, want FailedPrecondition that names plugin and directory", err)
	}
}

func TestSubnetIsKeptAndMayBeNamed(t *testing.T) {
	n := testNetworks(t, &bytes.Buffer{})
	chosen, err := n.settleSubnet()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := open(t, n.cfg).settleSubnet(); err != nil || again != chosen {
		t.Errorf("the second time it is %v, %v, want %v again", again, err, chosen)
	}
	named := n.cfg
	named.Subnet = netip.MustParsePrefix("10.223.254.0/28")
	m := open(t, named)
	if err := m.Prepare(t.Context(), "c", Request{Hostname: "c"}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.settleSubnet(); err == nil || !errdefs.IsFailedPrecondition(err) {
		t.Errorf("another subnet while a container has an address of the old one: %v, want FailedPrecondition", err)
	}
	if err := n.Disconnect(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	if got, err := m.settleSubnet(); err != nil || got != named.Subnet {
		t.Errorf("the named subnet is %v, %v, want %v", got, err, named.Subnet)
	}
	named.Subnet = netip.MustParsePrefix("127.0.0.0/24")
	if _, err := open(t, named).settleSubnet(); !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "127.0.0.0/8") {
		t.Errorf("a subnet that the machine has: %v, want FailedPrecondition that names what overlaps", err)
	}
}
