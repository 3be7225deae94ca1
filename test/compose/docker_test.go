package compose_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/testenv"
)

// docker is a Docker daemon, and the command lines that drive it.
type docker struct {
	t       *testing.T
	program string
	compose []string
	env     []string
}

// newDocker finds a daemon or starts one.
func newDocker(t *testing.T) *docker {
	t.Helper()
	d := &docker{t: t}
	d.program, d.compose = testenv.Docker(t)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "COMPOSE_") && !strings.HasPrefix(entry, "SHUNT_") {
			d.env = append(d.env, entry)
		}
	}
	if _, err := d.try("info"); err != nil {
		d.startDaemon(err)
	}
	return d
}

// startDaemon runs a daemon until the test ends. Whatever was made in it is gone
// with its directory.
func (d *docker) startDaemon(unreachable error) {
	d.t.Helper()
	dockerd, err := exec.LookPath("dockerd")
	if err != nil {
		d.t.Fatalf("no Docker daemon can be reached (%v), and there is no dockerd to start: %v", unreachable, err)
	}
	dir, err := os.MkdirTemp("", "shunt-docker-") // short: sockets lie in it
	if err != nil {
		d.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(d.t.ArtifactDir(), "dockerd.log"))
	if err != nil {
		d.t.Fatal(err)
	}
	host := "unix://" + filepath.Join(dir, "docker.sock")
	daemon := exec.Command(dockerd, "--host", host, "--data-root", filepath.Join(dir, "data"),
		"--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"), "--bridge", "none")
	daemon.Stdout, daemon.Stderr = log, log
	if err := daemon.Start(); err != nil {
		d.t.Fatalf("start dockerd: %v", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = daemon.Wait() // how it ended is in its log
	}()
	d.t.Cleanup(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(patience):
			d.t.Error("dockerd does not end by SIGTERM; it is killed")
			_ = daemon.Process.Kill()
			<-exited
		}
		log.Close()
		if err := os.RemoveAll(dir); err != nil {
			d.t.Errorf("remove what dockerd has left: %v", err)
		}
	})
	d.env = append(d.env, "DOCKER_HOST="+host)
	eventually(d.t, "dockerd answers", func() (bool, string) {
		select {
		case <-exited:
			d.t.Fatalf("dockerd has ended: %v; see %s", daemon.ProcessState, log.Name())
		default:
		}
		out, err := d.try("info")
		return err == nil, out
	})
}

// run is the output of a docker command, which must succeed.
func (d *docker) run(args ...string) string {
	d.t.Helper()
	out, err := d.try(args...)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// try is the standard output of a docker command.
func (d *docker) try(args ...string) (string, error) {
	return d.call(slices.Concat([]string{d.program}, args))
}

// call runs a command. It is not bound to the test's context, since it cleans
// up as well.
func (d *docker) call(words []string, more ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = slices.Concat(d.env, more)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &errs, time.Second
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// output is both outputs of a command, whatever becomes of it.
func (d *docker) output(args ...string) []byte {
	cmd := exec.Command(d.program, args...)
	cmd.Env = d.env
	out, _ := cmd.CombinedOutput()
	return out
}
