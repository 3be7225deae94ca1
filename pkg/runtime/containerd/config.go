package containerd

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// Config says which containerd to use and where to keep what is beside it.
type Config struct {
	Address  string // containerd's socket, on Windows its named pipe; required
	StateDir string // logs and FIFOs live below it; absolute; required

	// CNIPlugins are the directories of the programs that connect containers to
	// the bridge; default: where distributions put them.
	CNIPlugins []string
	// Subnet is the bridge's; default: a /24 that overlaps nothing on the machine.
	Subnet netip.Prefix

	// LoggerPath is the program that the shim runs as `PROGRAM log DIR`: the
	// worker's own binary, whose main must call logger.Main; absolute; required.
	LoggerPath string

	Namespace     string // containerd's; default: shunt
	Snapshotter   string // default: overlayfs; on Windows windows
	RuncPath      string // absolute; default: what the shim finds in its PATH
	RegistryHosts string // directory of hosts.toml files, as containerd's own; default: none

	// CgroupParent is where containers' cgroups are, RunDir where runc's state
	// and the containers' networks are, which a reboot takes away; both absolute.
	// The defaults hold a hash of Address and Namespace, so that several
	// containerds on a machine may have containers of the same name.
	CgroupParent string // default: /shunt/<hash>
	RunDir       string // default: /run/shunt/<hash>

	// CallTimeout is how long containerd may take to answer a call before it
	// counts as away: ten times as long where the work grows with an image.
	CallTimeout time.Duration // default: 1m

	MaxLogBytes    int64         // of one of a log's two files; default: logger.DefaultMaxBytes
	RemovedLogs    int           // logs of removed containers that are kept; default: 256
	RemovedLogsAge time.Duration // and for how long; default: 24h

	Logger *slog.Logger // default: slog.Default()
}

// What a Config is without being told.
const (
	DefaultNamespace      = "shunt"
	DefaultSnapshotter    = "overlayfs"
	DefaultRemovedLogs    = 256
	DefaultRemovedLogsAge = 24 * time.Hour
	DefaultCallTimeout    = time.Minute
	DefaultStopGrace      = 10 * time.Second // a spec's stop_grace that is left out
)

// systemSnapshotter is the one that containerd has on this system.
func systemSnapshotter() string {
	if goruntime.GOOS == "windows" {
		return "windows"
	}
	return DefaultSnapshotter
}

// withDefaults fills in what was left out and checks the whole.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.Namespace, DefaultNamespace)
	setDefault(&c.Snapshotter, systemSnapshotter())
	instance := c.instance()
	setDefault(&c.CgroupParent, "/shunt/"+instance)
	setDefault(&c.RunDir, "/run/shunt/"+instance)
	if len(c.CNIPlugins) == 0 {
		c.CNIPlugins = []string{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"}
	}
	setDefault(&c.CallTimeout, DefaultCallTimeout)
	setDefault(&c.MaxLogBytes, logger.DefaultMaxBytes)
	setDefault(&c.RemovedLogs, DefaultRemovedLogs)
	setDefault(&c.RemovedLogsAge, DefaultRemovedLogsAge)
	setDefault(&c.Logger, slog.Default())
	return c, c.validate()
}

// instance tells the bridge, the cgroups and the like of this containerd and
// namespace from those of others on the machine.
func (c Config) instance() string {
	sum := sha256.Sum256([]byte(c.Address + " " + c.Namespace))
	return hex.EncodeToString(sum[:6])
}

func (c Config) runcRoot() string { return filepath.Join(c.RunDir, "runc") }

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	switch {
	case c.Address == "":
		return badConfig("Address", c.Address, "the path of containerd's socket")
	case !filepath.IsAbs(c.StateDir):
		return badConfig("StateDir", c.StateDir, "an absolute path")
	case !filepath.IsAbs(c.LoggerPath) || strings.ContainsAny(c.LoggerPath, "?#%"):
		return badConfig("LoggerPath", c.LoggerPath, "the absolute path of a program, without ?, # and %")
	case !validNamespace(c.Namespace):
		return badConfig("Namespace", c.Namespace, "at most 76 letters and digits, with single . _ - between them")
	case c.RuncPath != "" && !filepath.IsAbs(c.RuncPath):
		return badConfig("RuncPath", c.RuncPath, "an absolute path")
	case !strings.HasPrefix(c.RunDir, "/"):
		return badConfig("RunDir", c.RunDir, "an absolute path, such as /run/shunt/node-1")
	case c.RegistryHosts != "" && !filepath.IsAbs(c.RegistryHosts):
		return badConfig("RegistryHosts", c.RegistryHosts, "the absolute path of a directory")
	case !strings.HasPrefix(c.CgroupParent, "/"):
		return badConfig("CgroupParent", c.CgroupParent, "an absolute path, such as /shunt")
	case c.CallTimeout < 0:
		return badConfig("CallTimeout", c.CallTimeout, "a duration above 0")
	case c.MaxLogBytes < 2*logger.MaxPart:
		return badConfig("MaxLogBytes", c.MaxLogBytes, fmt.Sprintf("at least %d", 2*logger.MaxPart))
	case c.RemovedLogs < 0:
		return badConfig("RemovedLogs", c.RemovedLogs, "a count from 0 up")
	case c.RemovedLogsAge < 0:
		return badConfig("RemovedLogsAge", c.RemovedLogsAge, "a duration from 0 up")
	}
	return nil
}

func badConfig(field string, value any, want string) error {
	return fmt.Errorf("containerd: config: %s: %q is not %s: %w", field, fmt.Sprint(value), want, errdefs.ErrInvalidArgument)
}

// validNamespace is containerd's rule: letters and digits, with single
// separators between them.
func validNamespace(name string) bool {
	if len(name) > maxIDLength {
		return false
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("._-", r) })
	separators := strings.Count(name, ".") + strings.Count(name, "_") + strings.Count(name, "-")
	return len(words) > 0 && separators == len(words)-1 && slug(name, maxIDLength) == strings.Join(words, "-")
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
