package containerd

import (
	"context"
	goruntime "runtime"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/windows"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/runhcs"
)

// maxHostname is the longest name that a machine has in DNS.
const maxHostname = 63

// ociSpec is what the shim is told.
func (r *Runtime) ociSpec(_ context.Context, id runtime.ContainerID, spec *messages.Spec, img *image) (*specs.Spec, error) {
	mounts, err := r.ociMounts(containerID(id), mountsOf(spec, img.config))
	if err != nil {
		return nil, err
	}
	return runhcs.Spec(runhcs.Container{
		Hostname: hostname(id, spec), Spec: spec, Image: img.config, Mounts: mounts,
		Processors: goruntime.NumCPU(), Escape: windows.EscapeArg,
	})
}

func hostname(id runtime.ContainerID, spec *messages.Spec) string {
	if spec.Hostname != "" {
		return spec.Hostname
	}
	name := id.String()
	if len(name) > maxHostname {
		name = containerID(id)
		name = name[len(name)-min(len(name), maxHostname):] // the end tells them apart
	}
	return strings.Trim(name, "-_")
}
