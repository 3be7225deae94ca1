package toybox

import (
	"maps"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// An Option sets one field of an image's config.
type Option func(*v1.Config)

// WithEntrypoint sets what is run before the command.
func WithEntrypoint(words ...string) Option {
	return func(c *v1.Config) { c.Entrypoint = words }
}

// WithCmd sets the command, or the arguments of the entrypoint. Without either
// the image runs "sleep 3600".
func WithCmd(words ...string) Option {
	return func(c *v1.Config) { c.Cmd = words }
}

// WithEnv adds NAME=VALUE entries after PATH.
func WithEnv(entries ...string) Option {
	return func(c *v1.Config) { c.Env = append(c.Env, entries...) }
}

// WithWorkingDir sets the directory in which the command starts.
func WithWorkingDir(dir string) Option {
	return func(c *v1.Config) { c.WorkingDir = dir }
}

// WithUser sets the user, as a name or a number. Linux images know "root" (0)
// and "toy" (1000, also in the group "box", 2000).
func WithUser(user string) Option {
	return func(c *v1.Config) { c.User = user }
}

// WithStopSignal sets the signal that asks the command to end, such as "SIGTERM".
func WithStopSignal(name string) Option {
	return func(c *v1.Config) { c.StopSignal = name }
}

// WithLabels adds labels.
func WithLabels(labels map[string]string) Option {
	return func(c *v1.Config) {
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		maps.Copy(c.Labels, labels)
	}
}

// WithExposedPorts declares TCP ports.
func WithExposedPorts(ports ...int) Option {
	return func(c *v1.Config) {
		if c.ExposedPorts == nil {
			c.ExposedPorts = map[string]struct{}{}
		}
		for _, port := range ports {
			c.ExposedPorts[strconv.Itoa(port)+"/tcp"] = struct{}{}
		}
	}
}

// WithVolumes declares directories that are volumes.
func WithVolumes(dirs ...string) Option {
	return func(c *v1.Config) {
		if c.Volumes == nil {
			c.Volumes = map[string]struct{}{}
		}
		for _, dir := range dirs {
			c.Volumes[dir] = struct{}{}
		}
	}
}
