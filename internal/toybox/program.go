package toybox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// programPackage is what Build compiles.
const programPackage = "github.com/shunt-fleet/shunt/internal/toybox/program"

// ProgramPath is where the program for linux/arch is in a directory of built
// programs, such as bin/.
func ProgramPath(dir, arch string) string {
	return filepath.Join(dir, "toybox-linux-"+arch)
}

// Find gives the program for this machine's architecture in dir, or, where dir
// is empty, beside the running program.
func Find(dir string) (string, error) {
	if dir == "" {
		self, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("toybox: where this program is: %w", err)
		}
		dir = filepath.Dir(self)
	}
	path := ProgramPath(dir, runtime.GOARCH)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("toybox: the program of the images is not there: %s (make toybox builds it): %w", path, err)
	} else if err != nil {
		return "", fmt.Errorf("toybox: %w", err)
	}
	return path, nil
}

// Build compiles the program for linux/arch into dir and gives its path. It
// needs Go and a working directory inside shunt's module, so it is for tests.
func Build(ctx context.Context, dir, arch string) (string, error) {
	path := ProgramPath(dir, arch)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, programPackage)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("toybox: go build %s: %w: %s", programPackage, err, strings.TrimSpace(string(out)))
	}
	return path, nil
}
