package debimage

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// download fetches the packages with all they depend on into dir, whatever is
// installed on this machine: apt is shown an empty list of what is.
func download(ctx context.Context, dir string, packages []string) (archives []string, err error) {
	cache := filepath.Join(dir, "archives")
	if err := os.MkdirAll(filepath.Join(cache, "partial"), 0o755); err != nil {
		return nil, fmt.Errorf("debimage: %w", err)
	}
	status := filepath.Join(dir, "status")
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return nil, fmt.Errorf("debimage: %w", err)
	}
	args := []string{
		"-q", "-y", "--download-only", "--no-install-recommends",
		"-o", "Dir::State::status=" + status,
		"-o", "Dir::Cache::archives=" + cache,
		"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
		"-o", "Debug::NoLocking=true", // nothing of this machine's is changed
		"-o", "APT::Sandbox::User=root", // who may write to the test's directory
		"install", "--",
	}
	if err := run(ctx, "apt-get", append(args, packages...)...); err != nil {
		return nil, fmt.Errorf("debimage: fetch %s: %w", strings.Join(packages, ", "), err)
	}
	archives, err = filepath.Glob(filepath.Join(cache, "*.deb"))
	if err == nil && len(archives) == 0 {
		err = fmt.Errorf("debimage: apt-get has fetched nothing for %s", strings.Join(packages, ", "))
	}
	return archives, err
}

// run runs a program; its error has the end of what it complains.
func run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return fmt.Errorf("%s: %w: %s", program, err, strings.Join(lines[max(0, len(lines)-3):], " | "))
	}
	return nil
}
