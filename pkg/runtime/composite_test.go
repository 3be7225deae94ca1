package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func TestNewCompositeNamesWhatIsWrong(t *testing.T) {
	some := newFake("x", &calls{})
	for want, cfg := range map[string]runtime.CompositeConfig{
		"Primary.Runtime":      {},
		"Primary.Name":         {Primary: runtime.Member{Name: "a b", Runtime: some}},
		"Delegates[0].Runtime": {Primary: runtime.Member{Runtime: some}, Delegates: []runtime.Member{{}}},
		"Delegates[1].Name": {Primary: runtime.Member{Runtime: some}, Delegates: []runtime.Member{
			{Name: "d", Runtime: some}, {Name: "d", Runtime: some},
		}},
		"patience": {Primary: runtime.Member{Runtime: some}, Patience: -time.Second},
	} {
		_, err := runtime.NewComposite(cfg)
		if !errdefs.IsInvalidArgument(err) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want InvalidArgument for %s", err, want)
		}
	}
	c := compose(t, nil, some)
	if rt, ok := c.Member("primary"); !ok || rt != runtime.Runtime(some) {
		t.Errorf("the primary is %v", rt)
	}
	if rt, ok := c.Member("delegate"); ok {
		t.Errorf("there is a delegate: %v", rt)
	}
}

func TestDecideTellsWhyAnImageIsUnknown(t *testing.T) {
	log := &calls{}
	c := compose(t, &stubResolver{err: errAway}, newFake("primary", log, "windows/amd64"), newFake("delegate", log, "linux/amd64"))
	d, err := c.Decide(t.Context(), "web", specOf(nginx, ""), nil)
	must(t, err)
	if d.Member != "primary" || d.Platform != (messages.Platform{}) || !errors.Is(d.Unknown, errAway) {
		t.Errorf("decided %+v, want the primary, and why the image is unknown", d)
	}
}

// A platform that names all needs no look at the image, and one that no member
// has needs none either.
func TestDecideReadsNoMoreThanItNeeds(t *testing.T) {
	for platform, reads := range map[string]int{"linux/amd64": 0, "linux/arm64": 0, "darwin": 0, "linux": 1, "windows/amd64": 1, "windows(10.0.1)/amd64": 0} {
		log := &calls{}
		resolver := knows(nginx, "linux/amd64", "windows/amd64")
		c := compose(t, resolver, newFake("primary", log, "windows/amd64"), newFake("delegate", log, "linux/amd64"))
		_, err := c.Decide(t.Context(), "web", specOf(nginx, platform), nil)
		if err != nil {
			wantRoute(t, err, "web")
		}
		if len(resolver.asks) != reads {
			t.Errorf("%s: the image was looked at %d times, want %d", platform, len(resolver.asks), reads)
		}
	}
}

func TestRemoveAndTagImagesWhereTheyAre(t *testing.T) {
	boom, gone := errors.New("boom"), errdefs.ErrNotFound
	for _, tc := range []struct {
		name              string
		primary, delegate error
		want              error
	}{
		{"both", nil, nil, nil},
		{"the delegate has it", gone, nil, nil},
		{"the primary has it", nil, gone, nil},
		{"the primary fails", boom, nil, nil},
		{"nobody has it", gone, gone, gone},
		{"all fail: the primary's error", boom, errAway, boom},
		{"the one that has it fails", gone, boom, boom},
	} {
		s := newSeed(t, true)
		for op, do := range map[string]func() error{
			"RemoveImage": func() error { return s.RemoveImage(t.Context(), nginx, false) },
			"TagImage":    func() error { return s.TagImage(t.Context(), nginx, "mine") },
		} {
			s.primary.fail(op, tc.primary)
			s.delegate.fail(op, tc.delegate)
			if err := do(); !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
				t.Errorf("%s, %s: got %v, want %v", op, tc.name, err, tc.want)
			}
			if by := s.calls.by(op); len(by) != 2 {
				t.Errorf("%s, %s: asked %v, want both", op, tc.name, by)
			}
		}
	}
}

// archivist keeps the output of containers it no longer holds, and loads
// archives.
type archivist struct {
	*fake
	old   string
	limit int64 // bytes it reads of an archive
	got   bytes.Buffer
}

func (a *archivist) Logs(context.Context, runtime.ContainerID, runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return func(yield func(runtime.LogEntry, error) bool) {
		if a.old == "" {
			yield(runtime.LogEntry{}, errdefs.ErrNotFound)
			return
		}
		yield(runtime.LogEntry{Message: []byte(a.old)}, nil)
	}
}

func (a *archivist) LoadImages(_ context.Context, r io.Reader) ([]runtime.ImageInfo, error) {
	_, err := io.Copy(&a.got, io.LimitReader(r, a.limit))
	if err == nil && a.limit < 1<<20 {
		err = errors.New("not for this system")
	}
	return []runtime.ImageInfo{{Reference: "loaded"}}, err
}

func archivists(t *testing.T) (c *runtime.Composite, primary, delegate *archivist) {
	log := &calls{}
	primary = &archivist{fake: newFake("primary", log, "windows/amd64"), limit: 1 << 20}
	delegate = &archivist{fake: newFake("delegate", log, "linux/amd64"), limit: 1 << 20}
	return compose(t, nil, primary, delegate), primary, delegate
}

func TestLogsOutliveTheContainer(t *testing.T) {
	c, _, delegate := archivists(t)
	read := func() (text string, failed error) {
		for e, err := range c.Logs(t.Context(), cid("web", 0), runtime.LogOptions{Tail: -1}) {
			text, failed = text+string(e.Message), err
		}
		return text, failed
	}
	if text, err := read(); !errdefs.IsNotFound(err) || text != "" {
		t.Errorf("got %q, %v; want NotFound", text, err)
	}
	delegate.old = "last words\n"
	if text, err := read(); err != nil || text != "last words\n" {
		t.Errorf("got %q, %v; want what the delegate kept", text, err)
	}
	delegate.fail("State", errAway)
	if text, err := read(); !errdefs.IsUnavailable(err) || text != "" {
		t.Errorf("got %q, %v; want Unavailable while it may still live there", text, err)
	}
}

func TestLoadImagesGivesTheArchiveToAll(t *testing.T) {
	archive := strings.Repeat("0123456789abcdef", 8<<10)
	c, primary, delegate := archivists(t)
	primary.limit = 5 // gives up early
	images, err := c.LoadImages(t.Context(), strings.NewReader(archive))
	must(t, err)
	if delegate.got.String() != archive || primary.got.String() != archive[:5] {
		t.Errorf("the delegate read %d bytes, the primary %d", delegate.got.Len(), primary.got.Len())
	}
	if len(images) != 1 || images[0].Runtime != "delegate" {
		t.Errorf("loaded %+v, want the delegate's", images)
	}

	c, primary, delegate = archivists(t)
	broken := errors.New("the disk is gone")
	source := io.MultiReader(strings.NewReader(archive), iotest.ErrReader(broken))
	if _, err := c.LoadImages(t.Context(), source); !errors.Is(err, broken) {
		t.Errorf("got %v, want the archive's own error", err)
	}
	primary.limit, delegate.limit = 5, 5
	if _, err := c.LoadImages(t.Context(), strings.NewReader(archive)); err == nil {
		t.Error("nobody loaded it, and that is no error")
	}
}

func TestCreatePassesOnWhatWasDecided(t *testing.T) {
	log := &calls{}
	delegate := newFake("delegate", log, "linux/amd64")
	c := compose(t, knows(nginx, "linux/arm64", "linux/amd64"), newFake("primary", log, "windows/amd64"), delegate)
	owner := runtime.Owner{Job: "web-1", Attempt: 2}
	must(t, c.Create(t.Context(), cid("web", 0), specOf(nginx, ""), runtime.CreateOptions{Owner: owner}))
	if got, want := delegate.creates[0], (runtime.CreateOptions{Owner: owner, Platform: plat("linux/amd64")}); got != want {
		t.Errorf("created with %+v, want %+v", got, want)
	}
}

func TestPlatformsAreEachNamedOnce(t *testing.T) {
	log := &calls{}
	c := compose(t, nil, newFake("primary", log, "linux/arm64", "linux/amd64"), newFake("delegate", log, "linux/amd64", "windows/amd64"))
	got, err := c.Platforms(t.Context())
	must(t, err)
	if want := []messages.Platform{plat("linux/arm64"), plat("linux/amd64"), plat("windows/amd64")}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A container that moves from one member to another behind the composite's back
// is found again: after the call that fails for it, or after a list at once.
func TestMemoriesThatAreWrongAreDropped(t *testing.T) {
	ctx, id := t.Context(), cid("web", 0)
	moved := func() *runtime.Composite {
		c, primary, delegate, _ := pair(t)
		must(t, c.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
		must(t, delegate.Remove(ctx, id, runtime.RemoveOptions{}))
		must(t, primary.Create(ctx, id, specOf(nginx, ""), runtime.CreateOptions{}))
		return c
	}
	c := moved()
	if err := c.Start(ctx, id); !errdefs.IsNotFound(err) {
		t.Errorf("got %v, want NotFound from who held it", err)
	}
	must(t, c.Start(ctx, id))

	c = moved()
	_, err := c.List(ctx) // learns that the delegate has it no more
	must(t, err)
	must(t, c.Start(ctx, id))
}
