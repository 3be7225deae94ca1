package remote

import (
	"context"
	"errors"
	"io"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (r *Runtime) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (info runtime.ImageInfo, err error) {
	c, err := r.open(ctx, settled, "Pull", ref, opts, opts.Progress != nil)
	if err != nil {
		return info, err
	}
	defer c.close()
	for {
		m, err := c.receive()
		switch {
		case errors.Is(err, io.EOF):
			return info, c.silent()
		case err != nil:
			return info, err
		case m.Answer:
			err = c.read(m, &info)
			return info, err
		case m.Progress != nil && opts.Progress != nil:
			opts.Progress(*m.Progress)
		}
	}
}

func (r *Runtime) ListImages(ctx context.Context) ([]runtime.ImageInfo, error) {
	return ask[[]runtime.ImageInfo](ctx, r, "ListImages")
}

func (r *Runtime) RemoveImage(ctx context.Context, ref string, force bool) error {
	return do(ctx, r, "RemoveImage", ref, force)
}

func (r *Runtime) PruneImages(ctx context.Context) (runtime.PruneResult, error) {
	return act[runtime.PruneResult](ctx, r, "PruneImages")
}

func (r *Runtime) TagImage(ctx context.Context, source, target string) error {
	return do(ctx, r, "TagImage", source, target)
}

func (r *Runtime) ImageHistory(ctx context.Context, ref string) ([]runtime.ImageLayer, error) {
	return ask[[]runtime.ImageLayer](ctx, r, "ImageHistory", ref)
}

func (r *Runtime) SearchImages(ctx context.Context, term string, limit int) ([]runtime.ImageMatch, error) {
	return ask[[]runtime.ImageMatch](ctx, r, "SearchImages", term, limit)
}

func (r *Runtime) SaveImages(ctx context.Context, refs []string, w io.Writer) error {
	return download(ctx, r, w, "SaveImages", refs)
}

func (r *Runtime) LoadImages(ctx context.Context, from io.Reader) (images []runtime.ImageInfo, err error) {
	err = upload(ctx, r, from, &images, "LoadImages")
	return images, err
}

func (r *Runtime) ImportImage(ctx context.Context, ref string, from io.Reader) (info runtime.ImageInfo, err error) {
	err = upload(ctx, r, from, &info, "ImportImage", ref)
	return info, err
}
