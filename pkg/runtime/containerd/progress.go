//go:build linux || windows

package containerd

import (
	"context"
	"io"
	"sync"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// progress counts the parts of one pull, each once however often the image
// names it. A part is known as soon as its parent has been read, and done when
// the content store has it, be it that it had it before.
//
// The content comes through this process on its way to containerd, so it is
// counted here: containerd's own list of what is being written would have to be
// asked for again and again, and holds everybody's pulls.
type progress struct {
	tell func(runtime.PullProgress)

	mu    sync.Mutex
	parts map[digest.Digest]*part
	now   runtime.PullProgress
}

// part is one blob of the image.
type part struct {
	size  int64
	layer bool
	here  int64 // bytes that have come
	done  bool
}

func newProgress(tell func(runtime.PullProgress)) *progress {
	if tell == nil {
		tell = func(runtime.PullProgress) {}
	}
	return &progress{tell: tell, parts: map[digest.Digest]*part{}}
}

// handler is h, watched: containerd's client has it fetch one part at a call.
func (p *progress) handler(h images.Handler) images.Handler {
	return images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		p.known(desc)
		children, err := h.Handle(ctx, desc)
		if err == nil {
			p.known(children...)
			p.got(desc)
		}
		return children, err
	})
}

// known notes parts of the image.
func (p *progress) known(descs ...ocispec.Descriptor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range descs {
		if p.parts[d.Digest] != nil {
			continue
		}
		p.parts[d.Digest] = &part{size: d.Size, layer: images.IsLayerType(d.MediaType)}
		p.now.Bytes += d.Size
		if images.IsLayerType(d.MediaType) {
			p.now.Layers++
		}
	}
}

// came notes how much of a part has come.
func (p *progress) came(d digest.Digest, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if part := p.parts[d]; part != nil && !part.done {
		p.move(part, min(bytes, part.size))
	}
}

// got notes that the content store has a part.
func (p *progress) got(desc ocispec.Descriptor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	part := p.parts[desc.Digest]
	if part == nil || part.done {
		return
	}
	part.done = true
	if part.layer {
		p.now.LayersDone++
	}
	p.move(part, part.size)
}

func (p *progress) move(part *part, to int64) {
	p.now.BytesDone += to - part.here
	part.here = to
	p.tell(p.now)
}

// resolver is r, with what its fetchers bring counted.
func (p *progress) resolver(r remotes.Resolver) remotes.Resolver { return countedResolver{r, p} }

type countedResolver struct {
	remotes.Resolver
	progress *progress
}

func (r countedResolver) Fetcher(ctx context.Context, ref string) (remotes.Fetcher, error) {
	fetcher, err := r.Resolver.Fetcher(ctx, ref)
	if err != nil {
		return nil, err
	}
	return remotes.FetcherFunc(func(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
		body, err := fetcher.Fetch(ctx, desc)
		if err != nil {
			return nil, err
		}
		counted := &countedBody{ReadCloser: body, progress: r.progress, of: desc.Digest}
		if seeker, ok := body.(io.Seeker); ok {
			return &seekableBody{counted, seeker}, nil
		}
		return counted, nil
	}), nil
}

// countedBody is a part on its way.
type countedBody struct {
	io.ReadCloser
	progress *progress
	of       digest.Digest
	at       int64
}

func (b *countedBody) Read(buf []byte) (int, error) {
	n, err := b.ReadCloser.Read(buf)
	if n > 0 {
		b.at += int64(n)
		b.progress.came(b.of, b.at)
	}
	return n, err
}

// seekableBody is one whose fetch can go on where another was cut off.
type seekableBody struct {
	*countedBody
	seeker io.Seeker
}

func (b *seekableBody) Seek(offset int64, whence int) (int64, error) {
	at, err := b.seeker.Seek(offset, whence)
	if err == nil {
		b.at = at
	}
	return at, err
}
