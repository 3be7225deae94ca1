package runtime

import (
	"context"
	"io"
	"slices"
)

// ListImages is every image of the members that are there. What several hold
// under one reference and digest is one image: its Runtime is their names with
// commas between, its Size what all of them hold together.
func (c *Composite) ListImages(ctx context.Context) ([]ImageInfo, error) {
	lists, _, err := gather(ctx, c, "list images", func(ctx context.Context, m *member) ([]ImageInfo, error) { return m.ListImages(ctx) })
	if err != nil {
		return nil, err
	}
	return merged(lists), nil
}

func merged(lists []given[[]ImageInfo]) []ImageInfo {
	type key struct{ reference, digest string }
	var all []ImageInfo
	at := map[key]int{}
	for _, l := range lists {
		for _, info := range l.value {
			k := key{info.Reference, info.Digest}
			if i, ok := at[k]; ok {
				all[i] = both(all[i], info, l.by.name)
				continue
			}
			info.Runtime = l.by.name
			at[k] = len(all)
			all = append(all, info)
		}
	}
	return all
}

// both is an image that the member holds too.
func both(a, b ImageInfo, member string) ImageInfo {
	a.Runtime += "," + member
	a.Size += b.Size
	a.Platforms = slices.Clone(a.Platforms)
	for _, p := range b.Platforms {
		if !slices.Contains(a.Platforms, p) {
			a.Platforms = append(a.Platforms, p)
		}
	}
	return a
}

// RemoveImage drops the reference at every member, so that it is gone from the
// list. It is done if one member did it; what the others say, unless it is that
// they have no such image, is logged.
func (c *Composite) RemoveImage(ctx context.Context, ref string, force bool) error {
	return c.atEach(ctx, "remove image "+ref, func(m *member) error { return m.RemoveImage(ctx, ref, force) })
}

// TagImage tags the image at every member that has it, with the errors of
// RemoveImage.
func (c *Composite) TagImage(ctx context.Context, source, target string) error {
	return c.atEach(ctx, "tag image "+source, func(m *member) error { return m.TagImage(ctx, source, target) })
}

// atEach does something at each member in order, and is done if any did it.
func (c *Composite) atEach(ctx context.Context, op string, do func(*member) error) error {
	var failed []*MemberError
	for _, m := range c.members {
		if err := do(m); err != nil {
			failed = append(failed, &MemberError{m.name, err})
		}
	}
	if len(failed) == len(c.members) {
		return telling(failed)
	}
	for _, e := range failed {
		if !elsewhere(e) {
			c.logger.WarnContext(ctx, "a runtime is left out", "op", op, "runtime", e.Member, "error", e.Err)
		}
	}
	return nil
}

// PruneImages prunes with every member.
func (c *Composite) PruneImages(ctx context.Context) (PruneResult, error) {
	return c.prune(ctx, "prune images", Runtime.PruneImages)
}

// ImageHistory is what the first member that has the image says.
func (c *Composite) ImageHistory(ctx context.Context, ref string) ([]ImageLayer, error) {
	return firstOf(c, func(m *member) ([]ImageLayer, bool, error) {
		layers, err := m.ImageHistory(ctx, ref)
		return layers, true, err
	})
}

// SearchImages is what the first member that can search finds.
func (c *Composite) SearchImages(ctx context.Context, term string, limit int) ([]ImageMatch, error) {
	return firstOf(c, func(m *member) ([]ImageMatch, bool, error) {
		matches, err := m.SearchImages(ctx, term, limit)
		return matches, true, err
	})
}

// SaveImages has one member write all of them: the first that can, of those
// that fail before they write anything.
func (c *Composite) SaveImages(ctx context.Context, refs []string, w io.Writer) error {
	_, err := firstOf(c, func(m *member) (struct{}, bool, error) {
		out := &countingWriter{to: w}
		err := m.SaveImages(ctx, refs, out)
		return struct{}{}, out.n == 0, err
	})
	return err
}

// ImportImage has one member make the image: the first that can, of those that
// fail before they read anything.
func (c *Composite) ImportImage(ctx context.Context, ref string, r io.Reader) (ImageInfo, error) {
	return firstOf(c, func(m *member) (ImageInfo, bool, error) {
		in := &countingReader{from: r}
		info, err := m.ImportImage(ctx, ref, in)
		return m.owned(info), in.n == 0, err
	})
}

type countingWriter struct {
	to io.Writer
	n  int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.n += int64(n)
	return n, err
}

type countingReader struct {
	from io.Reader
	n    int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.n += int64(n)
	return n, err
}
