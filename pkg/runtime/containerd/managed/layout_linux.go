package managed

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// runBase is where the short paths are. It is gone after a reboot, as are the
// processes that it is about.
const runBase = "/run/shunt"

// layout is where everything of one containerd is.
type layout struct {
	dir    string // <state-dir>/containerd
	root   string // images and snapshots
	config string
	log    string
	pid    string
	lock   string

	run    string // short: /run/shunt/<hash>
	state  string
	socket string
}

func newLayout(stateDir string) layout {
	sum := sha256.Sum256([]byte(stateDir))
	dir := filepath.Join(stateDir, "containerd")
	run := filepath.Join(runBase, hex.EncodeToString(sum[:6]))
	return layout{
		dir:    dir,
		root:   filepath.Join(dir, "root"),
		config: filepath.Join(dir, "config.toml"),
		log:    filepath.Join(dir, "containerd.log"),
		pid:    filepath.Join(dir, "containerd.pid"),
		lock:   filepath.Join(dir, "lock"),
		run:    run,
		state:  filepath.Join(run, "state"),
		socket: filepath.Join(run, "containerd.sock"),
	}
}

// make makes the directories. Only root may look into them.
func (l layout) make() error {
	for _, dir := range []string{l.dir, l.run} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return fmt.Errorf("managed containerd: %w", err)
		}
	}
	return nil
}

// unwanted are containerd's plugins that shunt has no use for. Without them it
// starts faster and stays smaller.
var unwanted = []string{
	"io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri",
	"io.containerd.grpc.v1.sandbox-controllers", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt",
	"io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
	"io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
	"io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.zfs",
	"io.containerd.transfer.v1.local", "io.containerd.grpc.v1.transfer", "io.containerd.ttrpc.v1.otelttrpc",
	"io.containerd.monitor.container.v1.restart", "io.containerd.image-verifier.v1.bindir",
	"io.containerd.differ.v1.erofs", "io.containerd.mount-handler.v1.erofs",
}

// writeConfig writes containerd's configuration. Format 3 is read by all
// containerds of version 2.
func (l layout) writeConfig() error {
	text := fmt.Sprintf(`# Written by shunt at each start.
version = 3
root = %q
state = %q
disabled_plugins = [`, l.root, l.state)
	for _, plugin := range unwanted {
		text += fmt.Sprintf("\n  %q,", plugin)
	}
	text += fmt.Sprintf(`
]

[grpc]
  address = %q

[debug]
  level = "warn"
`, l.socket)
	if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("managed containerd: %w", err)
	}
	return nil
}
