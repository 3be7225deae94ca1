package e2e_test

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
)

// The nodes of a fleet.
const (
	linuxNode   = "linux-1"
	windowsNode = "win-1"
)

// fleet is a placer with a NATS server in it, the workers that a test adds,
// and a registry with images.
type fleet struct {
	t      *testing.T
	dir    string
	env    []string // more of it for the workers
	placer *process
	flags  []string // more of them for the placer
	nats   *natsCLI

	registry *toybox.Registry
	program  string // of the images
}

// newFleet starts a placer and a registry.
func newFleet(t *testing.T, flags ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, dir: t.TempDir(), flags: flags}
	f.serveImages()
	f.startPlacer("127.0.0.1:0")
	f.nats = newNatsCLI(t, f.placer.ready["nats"])
	return f
}

// serveImages starts the registry.
func (f *fleet) serveImages(options ...toybox.RegistryOption) {
	f.t.Helper()
	f.program = testenv.Toybox(f.t)
	var err error
	if f.registry, err = toybox.Serve("127.0.0.1:0", options...); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { f.registry.Close() })
}

// startPlacer starts a placer on the store of the one before.
func (f *fleet) startPlacer(address string) {
	f.t.Helper()
	f.placer = start(f.t, "placer", "placer",
		append([]string{"--embed-nats", address, "--store-dir", filepath.Join(f.dir, "nats"), "--id", "placer-1"}, f.flags...)...)
}

// address is where the fleet's NATS server listens.
func (f *fleet) address() string { return strings.TrimPrefix(f.nats.url, "nats://") }

// linux starts a worker with a containerd of its own, or with the one that the
// worker before it on this node has left running.
func (f *fleet) linux(args ...string) *process {
	f.t.Helper()
	return f.linuxAs(linuxNode, args...)
}

// linuxAs is linux for a node of another name.
func (f *fleet) linuxAs(node string, args ...string) *process {
	f.t.Helper()
	tools, state := testenv.Tools(f.t), f.state(node)
	ownContainerd(f.t, state, tools)
	return f.worker(node, append([]string{"--containerd", "managed", "--tools", tools}, args...)...)
}

// windows starts a worker that is shaped like a Windows node without a delegate.
func (f *fleet) windows(args ...string) *process {
	f.t.Helper()
	return f.pretender(windowsNode, "windows/amd64", args...)
}

// pretender starts a worker that only pretends to run what it is given.
func (f *fleet) pretender(node, platforms string, args ...string) *process {
	f.t.Helper()
	return f.worker(node, append([]string{"--runtime", "memory", "--platforms", platforms}, args...)...)
}

// worker starts a worker on the state of the one before it on this node, and
// waits until the placer knows it.
func (f *fleet) worker(node string, args ...string) *process {
	f.t.Helper()
	common := []string{"--nats", f.nats.url, "--node", node, "--state-dir", f.state(node), "--heartbeat", "1s", "--ttl", "5s", "--drain-timeout", "0s"}
	p := startWith(f.t, node, "worker", f.env, append(common, args...)...)
	if got := p.ready["node"]; got != node {
		f.t.Fatalf("the ready line of %s says node=%s", node, got)
	}
	f.awaitNode(node, "alive")
	return p
}

func (f *fleet) state(node string) string { return filepath.Join(f.dir, node) }

// awaitNode waits until the placer says that of a node.
func (f *fleet) awaitNode(node, state string) {
	f.t.Helper()
	eventually(f.t, node+" is "+state, func() (bool, string) {
		nodes := f.nats.request("shunt.placer.nodes", "").document
		for _, n := range nodes.list("nodes") {
			if n.at("node") == node && n.at("state") == state {
				return true, ""
			}
		}
		return false, nodes.String()
	})
}

// image makes an image for a platform, which runs the words.
func (f *fleet) image(platform v1.Platform, words ...string) v1.Image {
	f.t.Helper()
	image, err := toybox.Image(f.program, platform, toybox.WithCmd(words...))
	if err != nil {
		f.t.Fatal(err)
	}
	return image
}

// push gives the reference of an image, or an index, in the fleet's registry.
func (f *fleet) push(name string, content remote.Taggable) string {
	f.t.Helper()
	reference, err := f.registry.Push(f.t.Context(), name, content)
	if err != nil {
		f.t.Fatal(err)
	}
	return reference
}

// linuxImage is the reference of an image that this machine can run.
func (f *fleet) linuxImage(words ...string) string {
	f.t.Helper()
	return f.push("team/toybox:1", f.image(toybox.Linux(runtime.GOARCH), words...))
}
