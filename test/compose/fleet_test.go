package compose_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The hosts of docker-compose.test.yml.
var (
	servers = []string{"nats-1", "nats-2", "nats-3"}
	placers = []string{"placer-1", "placer-2"}
	linux   = []string{"linux-1", "linux-2", "linux-3"}
	windows = []string{"win-1", "win-2"}
)

const root = messages.Root(messages.DefaultRoot)

// fleet is the compose file, brought up.
type fleet struct {
	t       *testing.T
	docker  *docker
	project string
	network string
	hosts   map[string]string // name to the container's id

	history *checker.Recorder
	beats   *beats
	nc      *nats.Conn
	js      jetstream.JetStream
	client  *client.Client

	mu    sync.Mutex
	boots map[string][]boot // of the Linux machines
}

// boot is a time without power.
type boot struct{ off, on time.Time }

// newFleet builds the image, brings the fleet up, and waits until every node is
// alive.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{
		t: t, docker: newDocker(t), project: fmt.Sprintf("shunt-compose-%d", os.Getpid()),
		hosts: map[string]string{}, boots: map[string][]boot{},
	}
	file, err := os.Create(filepath.Join(t.ArtifactDir(), "history.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	f.history = checker.NewRecorder(file)

	if _, err := os.Stat(filepath.Join(testenv.Bin(t), "compose", "Dockerfile")); err != nil {
		t.Fatalf("what the image is built from: %v (make compose-context puts it there)", err)
	}
	t.Cleanup(f.down)
	f.compose("build", "nats-1")
	f.compose("up", "-d", "--no-build")
	f.find()
	f.connect()
	f.beats = listen(t, f.nc)
	f.awaitReady()
	return f
}

// compose runs a command of Compose, which must succeed.
func (f *fleet) compose(args ...string) {
	f.t.Helper()
	if err := f.tryCompose(args...); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) tryCompose(args ...string) error {
	file := filepath.Join("..", "..", "docker-compose.test.yml")
	words := slices.Concat(f.docker.compose, []string{"-p", f.project, "-f", file}, args)
	_, err := f.docker.call(words, "SHUNT_COMPOSE_IMAGE="+f.project)
	return err
}

// find learns what Compose calls its containers and its network, which differs
// between its versions.
func (f *fleet) find() {
	f.t.Helper()
	mine := "label=com.docker.compose.project=" + f.project
	out := f.docker.run("ps", "-a", "--filter", mine, "--format", `{{.ID}} {{.Label "com.docker.compose.service"}}`)
	for line := range strings.Lines(out) {
		if words := strings.Fields(line); len(words) == 2 {
			f.hosts[words[1]] = words[0]
		}
	}
	for _, name := range slices.Concat(servers, placers, linux, windows) {
		if f.hosts[name] == "" {
			f.t.Fatalf("%s of the compose file is not there: %s", name, out)
		}
	}
	f.network = strings.TrimSpace(f.docker.run("network", "ls", "--filter", mine, "--format", "{{.Name}}"))
}

// down removes everything but the logs.
func (f *fleet) down() {
	for name, id := range f.hosts {
		path := filepath.Join(f.t.ArtifactDir(), name+".log")
		if err := os.WriteFile(path, f.docker.output("logs", "--timestamps", id), 0o644); err != nil {
			f.t.Error(err)
		}
	}
	f.t.Logf("the history and every host's log are in %s", f.t.ArtifactDir())
	if err := f.tryCompose("down", "--volumes", "--timeout", "1"); err != nil {
		f.t.Error(err)
	}
	if out, err := f.docker.try("images", "-q", f.project); err == nil && out != "" {
		if _, err := f.docker.try("rmi", f.project); err != nil {
			f.t.Error(err)
		}
	}
}

// connect joins the bus from outside.
func (f *fleet) connect() {
	f.t.Helper()
	eventually(f.t, "NATS answers", func() (bool, string) {
		nc, err := nats.Connect("nats://nats-1:4222,nats://nats-2:4222,nats://nats-3:4222",
			nats.SetCustomDialer(byName{f}), nats.SkipHostLookup(), nats.IgnoreDiscoveredServers(),
			nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond),
			nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(2*time.Second))
		if err != nil {
			return false, err.Error()
		}
		f.nc = nc
		return true, ""
	})
	f.t.Cleanup(f.nc.Close)
	var err error
	if f.js, err = jetstream.New(f.nc, jetstream.WithDefaultTimeout(5*time.Second)); err != nil {
		f.t.Fatal(err)
	}
	if f.client, err = client.Connect(f.t.Context(), client.Config{Conn: f.nc}); err != nil {
		f.t.Fatal(err)
	}
}

// byName dials a host by its name in the compose file, wherever it is by now.
type byName struct{ f *fleet }

func (b byName) Dial(network, address string) (net.Conn, error) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	out, err := b.f.docker.try("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", b.f.hosts[name])
	ip := strings.TrimSpace(out)
	if err != nil || ip == "" {
		return nil, fmt.Errorf("%s has no address now: %w", name, net.ErrClosed)
	}
	return net.DialTimeout(network, net.JoinHostPort(ip, port), 2*time.Second)
}

// awaitReady waits until the placers see every node alive.
func (f *fleet) awaitReady() {
	f.t.Helper()
	for _, node := range slices.Concat(linux, windows) {
		f.awaitState(messages.NodeAlive, node)
	}
}
