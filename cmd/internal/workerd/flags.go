// Package workerd is the worker as a program: its flags, and the wiring of a
// worker to NATS, its runtimes and its journal. cmd/worker and `shunt dev`
// start it, and so do end-to-end tests, on state directories of their own.
package workerd

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shunt-fleet/shunt/internal/worker/policy"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// ContainerdManaged is the --containerd of a worker that runs its own.
const ContainerdManaged = "managed"

// The kinds of --runtime.
const (
	RuntimeContainerd = "containerd"
	RuntimeMemory     = "memory"
)

// containerdAddress is where containerd is when nobody has put it elsewhere.
func containerdAddress() string {
	if runtime.GOOS == "windows" {
		return `\\.\pipe\containerd-containerd`
	}
	return "/run/containerd/containerd.sock"
}

// Config is the worker's command line.
type Config struct {
	NATS, Creds, TLSCA string
	Node               string
	StateDir           string
	Labels             map[string]string
	Runtime            string
	Containerd         string
	Tools              string
	Namespace          string
	RegistryHosts      string
	Platforms          []string
	Delegate           string
	InstallWSL         string
	Heartbeat, TTL     time.Duration
	DrainTimeout       time.Duration // 0: Drain does not wait
	HTTP               string
	Policy             string
	Peers              int
	Subnet             string
	SubjectRoot        string

	subnet       netip.Prefix   // of Subnet
	allowed      *policy.Policy // of Policy
	delegateArgs []string       // of Delegate

	// LoggerPath is the program that keeps containers' output, the worker
	// itself; it is found when it is not given.
	LoggerPath string
	Logger     *slog.Logger
}

// Flags describes the command line.
func (c *Config) Flags(fs *pflag.FlagSet) {
	host, _ := os.Hostname()
	fs.StringVar(&c.NATS, "nats", "", "`URL` of the NATS server")
	fs.StringVar(&c.Creds, "creds", "", "`FILE` with the NATS credentials")
	fs.StringVar(&c.TLSCA, "tls-ca", "", "PEM `FILE` with the authorities of the NATS server's certificate")
	fs.StringVar(&c.Node, "node", nodeName(host), "`NAME` of this node in the fleet")
	fs.StringVar(&c.StateDir, "state-dir", "", "`DIR` of the journal, the logs and a managed containerd's data")
	fs.StringToStringVar(&c.Labels, "label", nil, "a label of this node, as `k=v`; may be given again")
	fs.StringVar(&c.Runtime, "runtime", RuntimeContainerd, "what runs containers: containerd, or memory (which only pretends)")
	fs.StringVar(&c.Containerd, "containerd", containerdAddress(), "`ADDRESS` of containerd, or managed for one of its own")
	fs.StringVar(&c.Tools, "tools", "", "`DIR` of containerd, its shim, runc and cni/ with the plugins (default: beside this program, then PATH)")
	fs.StringVar(&c.Namespace, "namespace", "shunt", "containerd's `NAMESPACE`")
	fs.StringVar(&c.RegistryHosts, "registry-hosts", "", "`DIR` of registries' hosts.toml files, as containerd reads them")
	fs.StringSliceVar(&c.Platforms, "platforms", nil, "what a memory runtime pretends to run, as linux/amd64,windows(10.0.20348)/amd64")
	fs.StringVar(&c.Delegate, "delegate", "", "`COMMAND` that speaks as a delegate does, such as 'wsl.exe -d shunt --exec worker delegate'")
	fs.StringVar(&c.InstallWSL, "install-wsl", "", "yes: set WSL2 up as the delegate (Windows)")
	fs.DurationVar(&c.Heartbeat, "heartbeat", 3*time.Second, "pause between heartbeats")
	fs.DurationVar(&c.TTL, "ttl", 10*time.Second, "how long this node counts as alive after a heartbeat")
	fs.DurationVar(&c.DrainTimeout, "drain-timeout", 30*time.Second, "how long SIGTERM waits for what runs here; 0s: not at all")
	fs.StringVar(&c.HTTP, "http", "127.0.0.1:0", "`HOST:PORT` for /healthz")
	fs.StringVar(&c.Policy, "policy", "", "`FILE` that says what containers may do on this node")
	fs.IntVar(&c.Peers, "peers", 256, "how many peers are remembered")
	fs.StringVar(&c.Subnet, "subnet", "", "IPv4 `NETWORK` of the containers, such as 10.208.7.0/24 (default: one that is free)")
	fs.StringVar(&c.SubjectRoot, "subject-root", messages.DefaultRoot, "first `TOKEN` of every subject")
}

// nodeName makes a token of a host's name.
func nodeName(host string) string {
	host, _, _ = strings.Cut(host, ".")
	if messages.ValidToken(host) {
		return host
	}
	return ""
}

// validate fills in what follows from the rest and names the flag at fault,
// before anything is started.
func (c *Config) validate() error {
	for _, check := range []func() error{c.checkServer, c.checkNode, c.checkTimes, c.checkDelegate} {
		if err := check(); err != nil {
			return err
		}
	}
	return c.validateRuntime()
}

// validateRuntime is validate for what a delegate has as well.
func (c *Config) validateRuntime() error {
	for _, check := range []func() error{c.checkRuntime, c.checkContainerd} {
		if err := check(); err != nil {
			return err
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Tools == "" {
		c.Tools = ToolsBeside()
	}
	return c.makeAbsolute()
}

// ToolsBeside is the directory tools beside this program, as `make tools` fills
// it, or "" when containerd is not there.
func ToolsBeside() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	dir := filepath.Join(filepath.Dir(self), "tools")
	if _, err := os.Stat(filepath.Join(dir, "containerd")); err != nil {
		return ""
	}
	return dir
}

// makeAbsolute resolves the paths that other processes are given.
func (c *Config) makeAbsolute() error {
	for _, p := range []struct {
		flag string
		path *string
	}{{"--state-dir", &c.StateDir}, {"--tools", &c.Tools}, {"--registry-hosts", &c.RegistryHosts}} {
		if *p.path == "" {
			continue
		}
		abs, err := filepath.Abs(*p.path)
		if err != nil {
			return fmt.Errorf("%s: %w", p.flag, err)
		}
		*p.path = abs
	}
	return nil
}

// platforms is --platforms, read.
func (c *Config) platforms() ([]messages.Platform, error) {
	var out []messages.Platform
	for _, text := range c.Platforms {
		p, err := messages.ParsePlatform(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("--platforms: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}
