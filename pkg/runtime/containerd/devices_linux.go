package containerd

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// setDevices gives the container devices of the machine: a node, or every node
// below a directory, each as /dev/x[:/dev/y[:rwm]].
func setDevices(s *specs.Spec, devices []string) error {
	for i, text := range devices {
		path, rest, _ := strings.Cut(text, ":")
		target, access, _ := strings.Cut(rest, ":")
		target, access = firstOf(target, path), firstOf(access, "rwm")
		node, err := filepath.EvalSymlinks(path)
		if err == nil {
			err = oci.WithDevices(node, target, access)(nil, nil, nil, s)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("spec.devices[%d]: this machine has no %s: %w", i, path, errdefs.ErrNotFound)
		case err != nil:
			return fmt.Errorf("spec.devices[%d]: %s is not a device (%w); want one such as /dev/fuse: %w", i, path, err, errdefs.ErrInvalidArgument)
		}
	}
	return nil
}
