package runhcs

import (
	"github.com/Microsoft/hcsshim/pkg/annotations"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Container is what a spec for the shim is made from.
type Container struct {
	Hostname string
	Spec     *messages.Spec // one that Check has passed
	Image    ocispec.ImageConfig
	Mounts   []specs.Mount

	Processors int                 // of the machine
	Escape     func(string) string // of an argument, for a command line
}

// Spec is what the shim is told of a container. Its network comes with each
// start (SetNamespace).
func Spec(c Container) (*specs.Spec, error) {
	s := &specs.Spec{
		Version:  specs.Version,
		Root:     &specs.Root{},
		Hostname: c.Hostname,
		Mounts:   c.Mounts,
		Windows:  &specs.Windows{IgnoreFlushesDuringBoot: true},
		// A HostProcess container is a program on the node itself. Should one be
		// asked for in a way that Check does not know, the shim refuses it.
		Annotations: map[string]string{annotations.DisableHostProcessContainer: "true"},
	}
	if HyperV(c.Spec.Isolation) {
		s.Windows.HyperV = &specs.WindowsHyperV{}
	}
	var err error
	if s.Process, err = process(c.Spec, c.Image, c.Escape); err != nil {
		return nil, err
	}
	return s, setLimits(s, c.Spec.Resources, c.Processors)
}

// SetNamespace puts a container into the network namespace of this GUID; "" is
// no network.
func SetNamespace(s *specs.Spec, guid string) {
	s.Windows.Network = nil
	if guid != "" {
		s.Windows.Network = &specs.WindowsNetwork{NetworkNamespace: guid}
	}
}

// Mount is a directory or file of the node in a container.
func Mount(source, target string, readOnly bool) specs.Mount {
	m := specs.Mount{Source: source, Destination: Path(target), Options: []string{"rw"}}
	if readOnly {
		m.Options[0] = "ro"
	}
	return m
}
