package managed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
)

// programs are what containers need to run.
var programs = []string{"containerd", "containerd-shim-runc-v2", "runc"}

// findTools gives containerd's path and the PATH in which it finds the others.
func findTools(dir string) (containerd, path string, err error) {
	dirs := []string{dir}
	if dir == "" {
		dirs = filepath.SplitList(os.Getenv("PATH"))
		if self, err := os.Executable(); err == nil {
			beside := filepath.Dir(self)
			dirs = append([]string{beside, filepath.Join(beside, "tools")}, dirs...)
		}
	}
	for _, program := range programs {
		found := lookIn(dirs, program)
		if found == "" {
			return "", "", missing(program, dir)
		}
		if program == programs[0] {
			containerd = found
		}
	}
	path = strings.Join(append(dirs, filepath.SplitList(os.Getenv("PATH"))...), string(os.PathListSeparator))
	return containerd, path, nil
}

func lookIn(dirs []string, program string) string {
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			continue // "." in a PATH is nothing to run a daemon from
		}
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	return ""
}

func missing(program, dir string) error {
	where := "neither beside this program nor in the PATH"
	if dir != "" {
		where = "not in " + dir
	}
	return fmt.Errorf("managed containerd: %s is %s; build it with `make tools` and name its directory with --tools: %w",
		program, where, errdefs.ErrNotFound)
}
