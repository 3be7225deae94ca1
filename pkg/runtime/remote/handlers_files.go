package remote

import (
	"context"
	"errors"
	"io"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// write1 and write2 serve operations that write a stream of bytes.

func write1[A any](method func(port, context.Context, A, io.Writer) error) handler {
	return func(ctx context.Context, s *server, c *incoming) error {
		var a A
		if err := c.args(&a); err != nil {
			return err
		}
		return c.answer(nil, method(s.rt, ctx, a, outward{c}))
	}
}

func write2[A, B any](method func(port, context.Context, A, B, io.Writer) error) handler {
	return func(ctx context.Context, s *server, c *incoming) error {
		var a A
		var b B
		if err := c.args(&a, &b); err != nil {
			return err
		}
		return c.answer(nil, method(s.rt, ctx, a, b, outward{c}))
	}
}

// outward sends what is written to the near end.
type outward struct{ c *incoming }

func (w outward) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		n := min(chunk, len(p)-done)
		if err := w.c.send(&message{Data: p[done : done+n]}); err != nil {
			return done, err
		}
		done += n
	}
	return len(p), nil
}

// The operations that read a stream of bytes.

func loadImages(ctx context.Context, s *server, c *incoming) error {
	if err := c.args(); err != nil {
		return err
	}
	images, err := s.rt.LoadImages(ctx, &inward{c: c})
	return c.answer(images, err)
}

func importImage(ctx context.Context, s *server, c *incoming) error {
	var ref string
	if err := c.args(&ref); err != nil {
		return err
	}
	info, err := s.rt.ImportImage(ctx, ref, &inward{c: c})
	return c.answer(info, err)
}

func copyIn(ctx context.Context, s *server, c *incoming) error {
	var id runtime.ContainerID
	var dir string
	if err := c.args(&id, &dir); err != nil {
		return err
	}
	return c.answer(nil, s.rt.CopyIn(ctx, id, dir, &inward{c: c}))
}

// inward reads what the near end sends: its bytes, then why it could not go on,
// or the end.
type inward struct {
	c    *incoming
	rest []byte
}

func (r *inward) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		var m received
		if err := r.c.stream.RecvMsg(&m); err != nil {
			if errors.Is(err, io.EOF) {
				return 0, io.EOF
			}
			return 0, errors.Join(err, r.c.stream.Context().Err())
		}
		if m.Error != nil {
			return 0, m.Error.err()
		}
		r.rest = m.Data
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
