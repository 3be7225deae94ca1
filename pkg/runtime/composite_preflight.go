package runtime

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Decision is where a container would run. Given on as the Platform of
// PullOptions and CreateOptions, its Platform spares them to read the image's
// platforms again.
type Decision struct {
	Member   string            // name of the member
	Platform messages.Platform // what it would run it as; zero: its preferred one

	// What the image is, as far as it had to be looked at.
	Digest    string              // of what the reference names
	Platforms []messages.Platform // all it is made for
	Unknown   error               // why the platforms are not known, if they should be
}

// Decide tells which member would run spec, and pulls and creates nothing. auth
// opens the image's registry; nil stands for the node's own credentials. The
// error is a *RouteToPeerError for service when a peer has to run it; Unavailable
// when a member that is away may; FailedPrecondition when nothing could;
// InvalidArgument when spec names no image.
func (c *Composite) Decide(ctx context.Context, service string, spec *messages.Spec, auth *messages.RegistryAuth) (Decision, error) {
	if err := checkImage(spec); err != nil {
		return Decision{}, err
	}
	q := question{service: service, image: spec.Image, pull: spec.Pull, auth: auth}
	if spec.Platform != nil {
		q.want = *spec.Platform
	}
	found, err := c.inquire(ctx, q)
	if err != nil {
		return Decision{}, err
	}
	pick, err := found.decide()
	if err != nil {
		return Decision{}, err
	}
	return Decision{
		Member:    c.members[pick.member].name,
		Platform:  pick.platform,
		Digest:    found.digest,
		Platforms: found.made,
		Unknown:   found.unknown,
	}, nil
}

func checkImage(spec *messages.Spec) error {
	if spec == nil || spec.Image == "" {
		return fmt.Errorf("spec.image: is missing; want the reference of an image: %w", errdefs.ErrInvalidArgument)
	}
	return nil
}

// question is what a decision is about.
type question struct {
	service string
	image   string
	want    messages.Platform
	pull    messages.PullPolicy
	auth    *messages.RegistryAuth
}

// inquiry is all that a decision needs to know.
type inquiry struct {
	demand
	members []ability
	digest  string
	unknown error
}

func (q inquiry) decide() (choice, error) { return decide(q.demand, q.members) }

// blind tells whether there is nothing to decide by.
func (q inquiry) blind() bool { return q.wanted() == nil }

// inquire asks the members what they can run and, if the demand leaves that
// open, the resolver what the image is made for. What no member can run
// whatever the image is, is an error at once.
func (c *Composite) inquire(ctx context.Context, q question) (inquiry, error) {
	found := inquiry{
		demand:  demand{service: q.service, image: q.image, spec: q.want},
		members: c.abilities(ctx),
	}
	if err := ctx.Err(); err != nil {
		return inquiry{}, err
	}
	if complete(q.want) {
		return found, nil
	}
	if !found.blind() {
		if _, err := found.decide(); err != nil {
			return inquiry{}, err
		}
	}
	found.digest, found.made, found.unknown = c.learn(ctx, q)
	if err := ctx.Err(); err != nil {
		return inquiry{}, err
	}
	if found.unknown != nil {
		c.logger.WarnContext(ctx, "an image's platforms cannot be learned", "image", q.image, "error", found.unknown)
	}
	return found, nil
}

// learn asks the resolver.
func (c *Composite) learn(ctx context.Context, q question) (string, []messages.Platform, error) {
	if c.resolver == nil {
		return "", nil, fmt.Errorf("image %s: there is nobody to tell its platforms: %w", q.image, errdefs.ErrNotImplemented)
	}
	digest, platforms, err := c.resolver.Platforms(ctx, q.image, q.pull.Or(messages.PullIfNotPresent), q.auth)
	switch {
	case err != nil:
		return "", nil, err
	case len(platforms) == 0:
		return digest, nil, fmt.Errorf("image %s names no platform: %w", q.image, errdefs.ErrNotFound)
	}
	return digest, platforms, nil
}
