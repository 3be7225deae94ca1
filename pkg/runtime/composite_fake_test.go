package runtime_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// call is an operation that a fake was asked for.
type call struct {
	member, op string
	id         runtime.ContainerID
}

// calls is a log that the members of a composite share.
type calls struct {
	mu  sync.Mutex
	log []call
}

func (c *calls) add(member, op string, id runtime.ContainerID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, call{member, op, id})
}

// by lists the members that were asked for op, in order.
func (c *calls) by(op string) (members []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.log {
		if one.op == op {
			members = append(members, one.member)
		}
	}
	return members
}

// fake is a member that records what it is asked, knows which containers and
// images it holds, and fails or blocks where a test says so.
type fake struct {
	runtime.Unimplemented
	name  string
	calls *calls

	mu        sync.Mutex
	platforms []messages.Platform
	held      map[runtime.ContainerID]runtime.Container
	images    []runtime.ImageInfo
	pulls     []runtime.PullOptions
	creates   []runtime.CreateOptions
	fails     map[string]error         // op -> what it answers
	gates     map[string]chan struct{} // op -> closed when it may go on
	needImage bool                     // Create wants an image that was pulled
}

func newFake(name string, log *calls, platforms ...string) *fake {
	f := &fake{
		Unimplemented: runtime.Unimplemented{Kind: name},
		name:          name,
		calls:         log,
		held:          map[runtime.ContainerID]runtime.Container{},
		fails:         map[string]error{},
		gates:         map[string]chan struct{}{},
	}
	for _, s := range platforms {
		f.platforms = append(f.platforms, plat(s))
	}
	return f
}

func plat(s string) messages.Platform {
	p, err := messages.ParsePlatform(s)
	if err != nil {
		panic(err)
	}
	return p
}

func (f *fake) fail(op string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails[op] = err
}

// gate makes op wait until the channel is closed.
func (f *fake) gate(op string) chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gates[op] = make(chan struct{})
	return f.gates[op]
}

// enter records the call, waits at the gate, and is what the test has it fail
// with.
func (f *fake) enter(ctx context.Context, op string, id runtime.ContainerID) error {
	f.calls.add(f.name, op, id)
	f.mu.Lock()
	gate, err := f.gates[op], f.fails[op]
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

// known is enter for calls on a container.
func (f *fake) known(ctx context.Context, op string, id runtime.ContainerID) error {
	if err := f.enter(ctx, op, id); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.held[id]; !ok {
		return fmt.Errorf("%s has no %s: %w", f.name, id, errdefs.ErrNotFound)
	}
	return nil
}

func (f *fake) Platforms(ctx context.Context) ([]messages.Platform, error) {
	err := f.enter(ctx, "Platforms", runtime.ContainerID{})
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return slices.Clone(f.platforms), nil
}

func (f *fake) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	if err := f.enter(ctx, "Pull", runtime.ContainerID{}); err != nil {
		return runtime.ImageInfo{}, err
	}
	if opts.Progress != nil {
		opts.Progress(runtime.PullProgress{Layers: 1})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	info := runtime.ImageInfo{Reference: ref}
	f.pulls = append(f.pulls, opts)
	f.images = append(f.images, info)
	return info, nil
}

func (f *fake) ListImages(ctx context.Context) ([]runtime.ImageInfo, error) {
	err := f.enter(ctx, "ListImages", runtime.ContainerID{})
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.images), err
}

func (f *fake) RemoveImage(ctx context.Context, _ string, _ bool) error {
	return f.enter(ctx, "RemoveImage", runtime.ContainerID{})
}

func (f *fake) TagImage(ctx context.Context, _, _ string) error {
	return f.enter(ctx, "TagImage", runtime.ContainerID{})
}

func (f *fake) PruneImages(ctx context.Context) (runtime.PruneResult, error) {
	err := f.enter(ctx, "PruneImages", runtime.ContainerID{})
	return runtime.PruneResult{Deleted: []string{f.name}, SpaceReclaimed: 1}, err
}

func (f *fake) PruneContainers(ctx context.Context) (runtime.PruneResult, error) {
	err := f.enter(ctx, "PruneContainers", runtime.ContainerID{})
	return runtime.PruneResult{Deleted: []string{f.name}, SpaceReclaimed: 1}, err
}

func (f *fake) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	if err := f.enter(ctx, "Create", id); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.held[id]; ok {
		return fmt.Errorf("%s has %s: %w", f.name, id, errdefs.ErrAlreadyExists)
	}
	if f.needImage && !slices.ContainsFunc(f.images, func(i runtime.ImageInfo) bool { return i.Reference == spec.Image }) {
		return fmt.Errorf("%s has no image %s: %w", f.name, spec.Image, errdefs.ErrNotFound)
	}
	f.held[id] = runtime.Container{ID: id, Owner: opts.Owner, State: runtime.State{Phase: runtime.PhaseRunning}}
	f.creates = append(f.creates, opts)
	return nil
}

func (f *fake) Start(ctx context.Context, id runtime.ContainerID) error {
	return f.known(ctx, "Start", id)
}

func (f *fake) Stop(ctx context.Context, id runtime.ContainerID, _ time.Duration) error {
	return f.known(ctx, "Stop", id)
}

func (f *fake) Kill(ctx context.Context, id runtime.ContainerID, _ string) error {
	return f.known(ctx, "Kill", id)
}

func (f *fake) Remove(ctx context.Context, id runtime.ContainerID, _ runtime.RemoveOptions) error {
	if err := f.known(ctx, "Remove", id); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.held, id)
	return nil
}

func (f *fake) State(ctx context.Context, id runtime.ContainerID) (runtime.State, error) {
	return runtime.State{Phase: runtime.PhaseRunning}, f.known(ctx, "State", id)
}

func (f *fake) Wait(ctx context.Context, id runtime.ContainerID) (int, error) {
	return 0, f.known(ctx, "Wait", id)
}

func (f *fake) List(ctx context.Context) ([]runtime.Container, error) {
	if err := f.enter(ctx, "List", runtime.ContainerID{}); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []runtime.Container
	for _, c := range f.held {
		all = append(all, c)
	}
	return all, nil
}

// holds tells whether the fake has the container.
func (f *fake) holds(id runtime.ContainerID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.held[id]
	return ok
}

// stubResolver knows images by heart and records how it is asked.
type stubResolver struct {
	mu    sync.Mutex
	known map[string][]messages.Platform
	err   error
	asks  []ask
}

type ask struct {
	ref  string
	pull messages.PullPolicy
	auth *messages.RegistryAuth
}

func (r *stubResolver) Platforms(_ context.Context, ref string, pull messages.PullPolicy, auth *messages.RegistryAuth) (string, []messages.Platform, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asks = append(r.asks, ask{ref, pull, auth})
	if p, ok := r.known[ref]; ok {
		return "sha256:" + ref, p, nil
	}
	if r.err != nil {
		return "", nil, r.err
	}
	return "", nil, fmt.Errorf("image %s: %w", ref, errdefs.ErrNotFound)
}

func knows(image string, platforms ...string) *stubResolver {
	r := &stubResolver{known: map[string][]messages.Platform{}}
	for _, p := range platforms {
		r.known[image] = append(r.known[image], plat(p))
	}
	return r
}

func compose(t *testing.T, resolver runtime.PlatformResolver, primary runtime.Runtime, delegates ...runtime.Runtime) *runtime.Composite {
	t.Helper()
	cfg := runtime.CompositeConfig{
		Primary:  runtime.Member{Runtime: primary},
		Resolver: resolver,
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for i, d := range delegates {
		name := "delegate"
		if i > 0 {
			name = fmt.Sprintf("delegate-%d", i+1)
		}
		cfg.Delegates = append(cfg.Delegates, runtime.Member{Name: name, Runtime: d})
	}
	c, err := runtime.NewComposite(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func cid(service string, replica uint32) runtime.ContainerID {
	return runtime.ContainerID{Service: service, Replica: replica}
}

func specOf(image, platform string) *messages.Spec {
	spec := &messages.Spec{Image: image}
	if platform != "" {
		p := plat(platform)
		spec.Platform = &p
	}
	return spec
}
