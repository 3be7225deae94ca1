package containerd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// stdinFIFO is the input of a container whose spec has stdin: a FIFO in the
// directory of its log. Whoever writes to it writes to the program.
const stdinFIFO = "stdin"

// stdinRunc is runc for such containers. A shim whose output goes to a logger
// gives programs no input, so runc is started with the FIFO as its own. That is
// open for writing too, as long as the program runs: the input never ends, and
// nobody has to live to keep it open.
const stdinRunc = `#!/bin/sh
# Written by shunt: runc, which gives a container it creates a FIFO as its input.
for id; do [ "$id" = create ] && create=yes; done
[ "$create" ] && exec %[1]s "$@" <>%[2]s/"$id"/%[3]s
exec %[1]s "$@"
`

// needsStdin tells whether a container needs such an input. A terminal is one.
func needsStdin(spec *messages.Spec) bool { return spec.Stdin && !spec.TTY }

// runcFor is the runc that makes a container.
func (r *Runtime) runcFor(spec *messages.Spec) (string, error) {
	if !needsStdin(spec) {
		return r.cfg.RuncPath, nil
	}
	script := filepath.Join(r.cfg.StateDir, "runc-stdin")
	live := filepath.Dir(r.logs.live("any"))
	text := fmt.Sprintf(stdinRunc, quoted(firstOf(r.cfg.RuncPath, "runc")), quoted(live), stdinFIFO)
	if err := writeScript(script, text); err != nil {
		return "", fmt.Errorf("spec.stdin: %w", err)
	}
	return script, nil
}

// writeScript writes a program in one step, unless it is there already: another
// container's shim may be running it.
func writeScript(path, text string) error {
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".runc-stdin-")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(0o755), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// makeStdin makes the FIFO of a container that is being started.
func (r *Runtime) makeStdin(cid string, spec *messages.Spec) error {
	if !needsStdin(spec) {
		return nil
	}
	err := unix.Mkfifo(filepath.Join(r.logs.live(cid), stdinFIFO), 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("spec.stdin: make the FIFO: %w", err)
	}
	return nil
}

// quoted is a word for the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
