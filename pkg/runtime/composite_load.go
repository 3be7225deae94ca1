package runtime

import (
	"context"
	"errors"
	"io"
	"sync"
)

// LoadImages gives the archive to every member, as nobody knows yet what its
// images are made for, and is what those that could read it hold now. It reads
// r once, as fast as the slowest member, and stops when no member wants more.
func (c *Composite) LoadImages(ctx context.Context, r io.Reader) ([]ImageInfo, error) {
	if len(c.members) == 1 {
		images, err := c.members[0].LoadImages(ctx, r)
		return merged([]given[[]ImageInfo]{{c.members[0], images}}), err
	}
	var copies tee
	inputs := map[*member]*io.PipeReader{}
	for _, m := range c.members {
		in, out := io.Pipe()
		inputs[m] = in
		copies = append(copies, out)
	}
	var feeding sync.WaitGroup
	var loaded []given[[]ImageInfo]
	var err error
	feeding.Go(func() {
		loaded, _, err = gather(ctx, c, "load images", func(ctx context.Context, m *member) ([]ImageInfo, error) {
			defer inputs[m].Close()
			return m.LoadImages(ctx, inputs[m])
		})
	})
	_, readErr := io.Copy(&copies, r)
	for _, out := range copies {
		out.CloseWithError(readErr) // nil: the end of the archive
	}
	feeding.Wait()
	if err != nil {
		return nil, err
	}
	return merged(loaded), nil
}

// tee writes to those that still read.
type tee []*io.PipeWriter

var errNobodyReads = errors.New("nobody reads any more")

func (t *tee) Write(p []byte) (int, error) {
	var reading tee
	for _, out := range *t {
		if _, err := out.Write(p); err == nil {
			reading = append(reading, out)
		}
	}
	*t = reading
	if len(reading) == 0 {
		return 0, errNobodyReads
	}
	return len(p), nil
}
