package runtimetest

import (
	"context"
	"io"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// none is the container of calls that have none.
var none runtime.ContainerID

func (f *Faulty) Platforms(ctx context.Context) ([]messages.Platform, error) {
	return ask(ctx, f, "Platforms", none, nil, func(ctx context.Context) ([]messages.Platform, error) {
		return f.rt.Platforms(ctx)
	})
}

func (f *Faulty) Describe(ctx context.Context) (runtime.Description, error) {
	return ask(ctx, f, "Describe", none, nil, func(ctx context.Context) (runtime.Description, error) {
		return f.rt.Describe(ctx)
	})
}

func (f *Faulty) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	return ask(ctx, f, "Pull", none, []any{ref, opts}, func(ctx context.Context) (runtime.ImageInfo, error) {
		return f.rt.Pull(ctx, ref, opts)
	})
}

func (f *Faulty) ListImages(ctx context.Context) ([]runtime.ImageInfo, error) {
	return ask(ctx, f, "ListImages", none, nil, func(ctx context.Context) ([]runtime.ImageInfo, error) {
		return f.rt.ListImages(ctx)
	})
}

func (f *Faulty) RemoveImage(ctx context.Context, ref string, force bool) error {
	return f.do(ctx, "RemoveImage", none, []any{ref, force}, func(ctx context.Context) error {
		return f.rt.RemoveImage(ctx, ref, force)
	})
}

func (f *Faulty) PruneImages(ctx context.Context) (runtime.PruneResult, error) {
	return ask(ctx, f, "PruneImages", none, nil, func(ctx context.Context) (runtime.PruneResult, error) {
		return f.rt.PruneImages(ctx)
	})
}

func (f *Faulty) TagImage(ctx context.Context, source, target string) error {
	return f.do(ctx, "TagImage", none, []any{source, target}, func(ctx context.Context) error {
		return f.rt.TagImage(ctx, source, target)
	})
}

func (f *Faulty) ImageHistory(ctx context.Context, ref string) ([]runtime.ImageLayer, error) {
	return ask(ctx, f, "ImageHistory", none, []any{ref}, func(ctx context.Context) ([]runtime.ImageLayer, error) {
		return f.rt.ImageHistory(ctx, ref)
	})
}

func (f *Faulty) SearchImages(ctx context.Context, term string, limit int) ([]runtime.ImageMatch, error) {
	return ask(ctx, f, "SearchImages", none, []any{term, limit}, func(ctx context.Context) ([]runtime.ImageMatch, error) {
		return f.rt.SearchImages(ctx, term, limit)
	})
}

func (f *Faulty) SaveImages(ctx context.Context, refs []string, w io.Writer) error {
	return f.do(ctx, "SaveImages", none, []any{refs, w}, func(ctx context.Context) error {
		return f.rt.SaveImages(ctx, refs, w)
	})
}

func (f *Faulty) LoadImages(ctx context.Context, r io.Reader) ([]runtime.ImageInfo, error) {
	return ask(ctx, f, "LoadImages", none, []any{r}, func(ctx context.Context) ([]runtime.ImageInfo, error) {
		return f.rt.LoadImages(ctx, r)
	})
}

func (f *Faulty) ImportImage(ctx context.Context, ref string, r io.Reader) (runtime.ImageInfo, error) {
	return ask(ctx, f, "ImportImage", none, []any{ref, r}, func(ctx context.Context) (runtime.ImageInfo, error) {
		return f.rt.ImportImage(ctx, ref, r)
	})
}
