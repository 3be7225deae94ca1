package runtime

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Composite is a Runtime made of Runtimes: a primary one, and delegates for the
// platforms the primary cannot run (Linux in WSL2 on a Windows node).
//
// A container goes to the first member, primary first, that can run one of the
// platforms wanted. The platform a spec names decides; what it leaves open, the
// platforms that the image is made for decide. An image whose platforms nobody
// can learn goes to the primary. If no member can run it the answer is a
// *RouteToPeerError, and if only a member that is away could, an error of class
// Unavailable. What members can run is asked of them each time; nothing is
// assumed about the host.
//
// An image is pulled only to the member that will run it. One whose platforms
// cannot be learned is pulled to all members, the pull succeeds if any has it,
// and Create tries them in order until one finds the image.
//
// A call on a container goes to the member that holds it, and comes back as the
// member gave it. Who holds what is remembered, and asked of the members where
// it is not, so it survives a restart. While a member is away, a container that
// no other holds is Unavailable, not NotFound.
//
// Calls that change a container, from Create to Remove, wait for each other;
// Stop and Kill, which have to get through, and calls that last (Wait, Logs,
// Exec, files) neither wait nor hold up.
//
// Lists and prunes are made of what the members give. A member that fails is
// logged and left out, unless all do; ListMembers tells who was left out.
type Composite struct {
	members  []*member // the primary first
	resolver PlatformResolver
	logger   *slog.Logger
	patience time.Duration

	turns keyedLock

	mu    sync.Mutex // guards what follows
	where map[ContainerID]*holding
	clock uint64 // ticks with every holding
}

var _ Runtime = (*Composite)(nil)

// Member is a Runtime that a Composite is made of. Its name is what the Runtime
// fields of results show.
type Member struct {
	Name    string
	Runtime Runtime
}

// PlatformResolver tells which platforms an image is made for, with the digest
// of what ref names. Reads are its to remember: Composite asks every time.
// *image.Resolver is one.
type PlatformResolver interface {
	Platforms(ctx context.Context, ref string, pull messages.PullPolicy, auth *messages.RegistryAuth) (digest string, platforms []messages.Platform, err error)
}

// CompositeConfig says what a Composite is made of.
type CompositeConfig struct {
	Primary   Member   // its name defaults to "primary"
	Delegates []Member // asked in this order, after the primary; a single one's name defaults to "delegate"

	// Resolver tells images' platforms; without one none is ever known.
	Resolver PlatformResolver
	// Logger hears of members that fail; nil: slog.Default.
	Logger *slog.Logger
	// Patience is how long a member may take to say what it can run, or whether
	// it holds a container, before it counts as away. Default 5 s.
	Patience time.Duration
}

// NewComposite makes a Composite. It calls none of the members. The error is of
// class InvalidArgument.
func NewComposite(cfg CompositeConfig) (*Composite, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &Composite{
		members:  []*member{{name: cfg.Primary.Name, Runtime: cfg.Primary.Runtime}},
		resolver: cfg.Resolver,
		logger:   cfg.Logger,
		patience: cfg.Patience,
		where:    map[ContainerID]*holding{},
	}
	for _, d := range cfg.Delegates {
		c.members = append(c.members, &member{name: d.Name, Runtime: d.Runtime})
	}
	return c, nil
}

func (cfg CompositeConfig) withDefaults() CompositeConfig {
	if cfg.Primary.Name == "" {
		cfg.Primary.Name = "primary"
	}
	if len(cfg.Delegates) == 1 && cfg.Delegates[0].Name == "" {
		cfg.Delegates = []Member{{Name: "delegate", Runtime: cfg.Delegates[0].Runtime}}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Patience == 0 {
		cfg.Patience = 5 * time.Second
	}
	return cfg
}

func (cfg CompositeConfig) validate() error {
	if cfg.Patience < 0 {
		return fmt.Errorf("patience: %v is negative; want a duration above 0, or 0 for 5s: %w", cfg.Patience, errdefs.ErrInvalidArgument)
	}
	taken := map[string]bool{}
	check := func(field string, m Member) error {
		switch {
		case m.Runtime == nil:
			return fmt.Errorf("%s.Runtime: is missing; want a Runtime: %w", field, errdefs.ErrInvalidArgument)
		case !messages.ValidToken(m.Name):
			return fmt.Errorf("%s.Name: %q is not a name; want letters, digits, - and _: %w", field, m.Name, errdefs.ErrInvalidArgument)
		case taken[m.Name]:
			return fmt.Errorf("%s.Name: %q is another member's; want each once: %w", field, m.Name, errdefs.ErrInvalidArgument)
		}
		taken[m.Name] = true
		return nil
	}
	if err := check("Primary", cfg.Primary); err != nil {
		return err
	}
	for i, d := range cfg.Delegates {
		if err := check(fmt.Sprintf("Delegates[%d]", i), d); err != nil {
			return err
		}
	}
	return nil
}
