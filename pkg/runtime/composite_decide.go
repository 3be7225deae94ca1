package runtime

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// ability is what a member can run.
type ability struct {
	name      string
	platforms []messages.Platform
	away      error               // why it cannot say
	last      []messages.Platform // then: what it said last
	seen      bool                // whether it ever did
}

// could tells whether a member that is away may be able to run one of them.
func (a ability) could(wanted []messages.Platform) bool {
	if !a.seen {
		return true
	}
	_, ok := bestOf(a.last, wanted)
	return ok
}

// demand is what has to run.
type demand struct {
	service string
	image   string
	spec    messages.Platform   // what the spec names; zero: nothing
	made    []messages.Platform // what the image is made for; nil: nobody knows
}

// wanted is every platform that would do: of those the image is made for, the
// ones the spec asks for. If the image has none of these, the spec's word
// counts. It is nil when nothing is known.
func (d demand) wanted() []messages.Platform {
	var fitting []messages.Platform
	for _, p := range d.made {
		if messages.FitOf(p, d.spec).OK() {
			p = filled(p, d.spec)
			p.OSVersion = cmp.Or(p.OSVersion, d.spec.OSVersion)
			fitting = append(fitting, p)
		}
	}
	if fitting == nil && d.spec != (messages.Platform{}) {
		return []messages.Platform{d.spec}
	}
	return fitting
}

// choice is the member that is to run something, and as what.
type choice struct {
	member   int
	platform messages.Platform // zero: the member's preferred one
}

// decide finds the first member that can run what is demanded. If nothing is
// known of it, that is the primary. The error is Unavailable if only a member
// that is away might, FailedPrecondition if nothing that shunt knows could, and
// else a *RouteToPeerError.
func decide(d demand, members []ability) (choice, error) {
	wanted := d.wanted()
	if wanted == nil {
		if away := members[0].away; away != nil {
			return choice{}, fmt.Errorf("image %s is for the %s runtime, as nobody knows its platforms, and that is away (%w): %w",
				d.image, members[0].name, away, errdefs.ErrUnavailable)
		}
		return choice{}, nil
	}
	for i, m := range members {
		if m.away != nil {
			continue
		}
		if p, ok := bestOf(m.platforms, wanted); ok {
			return choice{i, p}, nil
		}
	}
	if sound(wanted) == nil {
		return choice{}, fmt.Errorf("%s, which no node runs; nodes run linux, windows and darwin: %w", d.asks(wanted), errdefs.ErrFailedPrecondition)
	}
	if err := awaited(d, wanted, members); err != nil {
		return choice{}, err
	}
	return choice{}, verdict(d, wanted, members)
}

// awaited is the error that the members which could run it are away, if there
// are any.
func awaited(d demand, wanted []messages.Platform, members []ability) error {
	var who []string
	for _, m := range members {
		if m.away != nil && m.could(wanted) {
			who = append(who, fmt.Sprintf("the %s runtime is away (%v)", m.name, m.away))
		}
	}
	if who == nil {
		return nil
	}
	return fmt.Errorf("%s; %s: %w", d.asks(wanted), strings.Join(who, "; "), errdefs.ErrUnavailable)
}
