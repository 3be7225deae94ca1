package image

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// maxConfig is the size of the largest config that is remembered, in bytes.
const maxConfig = 64 << 10

type configKey struct {
	sessionKey
	manifest string
}

// Config is the image's own config for one platform, chosen as Select does.
// Policy, credentials and errors are those of Platforms; the store is not
// asked, since it knows no configs. If the image is not made for the platform,
// the error is of class NotFound and names the platforms there are.
func (r *Resolver) Config(ctx context.Context, ref string, platform messages.Platform, pull messages.PullPolicy, auth *messages.RegistryAuth) (Config, error) {
	q, err := r.question(ref, pull, auth)
	if err != nil {
		return Config{}, err
	}
	known, err := r.resolve(ctx, q, true)
	if err != nil {
		return Config{}, err
	}
	i := pick(known.platforms, platform)
	if i < 0 {
		return Config{}, fmt.Errorf("image %s: is not made for %s, only for %s: %w", q.ref, platform, listed(known.platforms), errdefs.ErrNotFound)
	}
	c, err := r.configOf(ctx, q, known.variants[i].manifest)
	if err != nil {
		return Config{}, err
	}
	c.Digest, c.Platform = known.digest, known.platforms[i]
	return c, nil
}

// configOf is the config behind an image manifest; the caller may have it, for
// its credentials opened the index that names the manifest.
func (r *Resolver) configOf(ctx context.Context, q *question, manifest v1.Descriptor) (Config, error) {
	if c, ok := r.configs.get(manifest.Digest.String()); ok {
		return c.clone(), nil
	}
	if q.pull == messages.PullNever {
		return Config{}, fmt.Errorf("image %s: its config is not on this node, and the pull policy is never: %w", q.ref, errdefs.ErrNotFound)
	}
	key := configKey{sessionKey{repo: q.repo.Name(), id: q.creds.id}, manifest.Digest.String()}
	c, err := r.details.do(ctx, key, r.timeout, func(ctx context.Context) (*Config, error) {
		return r.readConfigOf(ctx, q, manifest)
	})
	if err != nil {
		return Config{}, q.explain(ctx, err)
	}
	return c.clone(), nil
}

func (r *Resolver) readConfigOf(ctx context.Context, q *question, manifest v1.Descriptor) (c *Config, err error) {
	if c, ok := r.configs.get(manifest.Digest.String()); ok {
		return c, nil // read since the caller looked
	}
	err = r.with(ctx, q, func(s *session) error {
		raw, err := s.fetch(ctx, manifest)
		if err != nil {
			return err
		}
		doc, err := readDocument(manifest, raw)
		if err != nil {
			return err
		}
		if doc.isIndex() {
			return broken("manifest %s is an index where an image belongs", manifest.Digest)
		}
		if raw, err = s.fetch(ctx, *doc.Config); err != nil {
			return err
		}
		c, err = readConfig(doc, raw)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.rememberConfig(manifest, c)
	return c, nil
}

// rememberConfig keeps a config that was read, unless it is a huge one.
func (r *Resolver) rememberConfig(manifest v1.Descriptor, c *Config) {
	if c == nil {
		return
	}
	c.Manifest = manifest.Digest.String()
	if c.weight() <= maxConfig {
		r.configs.put(c.Manifest, c)
	}
}

func (c *Config) weight() int {
	n := len(c.WorkingDir) + len(c.User) + len(c.StopSignal)
	for _, words := range [][]string{c.Entrypoint, c.Cmd, c.Env} {
		for _, w := range words {
			n += len(w) + 16
		}
	}
	return n
}

// clone is a copy whose slices are the caller's.
func (c *Config) clone() Config {
	out := *c
	out.Entrypoint, out.Cmd, out.Env = slices.Clone(c.Entrypoint), slices.Clone(c.Cmd), slices.Clone(c.Env)
	return out
}

// listed shows the first platforms of an image.
func listed(platforms []messages.Platform) string {
	const most = 16
	var b strings.Builder
	for i, p := range platforms[:min(len(platforms), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.String())
	}
	if more := len(platforms) - most; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}
