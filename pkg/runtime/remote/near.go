package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// ask makes a call that changes nothing.
func ask[T any](ctx context.Context, r *Runtime, op string, args ...any) (value T, err error) {
	c, err := r.open(ctx, cut, op, args...)
	if err != nil {
		return value, err
	}
	defer c.close()
	err = c.answer(&value)
	return value, err
}

// act makes a call that may change something.
func act[T any](ctx context.Context, r *Runtime, op string, args ...any) (value T, err error) {
	c, err := r.open(ctx, settled, op, args...)
	if err != nil {
		return value, err
	}
	defer c.close()
	err = c.answer(&value)
	return value, err
}

// do is act without a result.
func do(ctx context.Context, r *Runtime, op string, args ...any) error {
	c, err := r.open(ctx, settled, op, args...)
	if err != nil {
		return err
	}
	defer c.close()
	return c.answer(nil)
}

// items makes a call whose result is a sequence. It is made when that is read.
func items[T any](ctx context.Context, r *Runtime, op string, bytes func(*T) *[]byte, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		c, err := r.open(ctx, settled, op, args...)
		if err != nil {
			yield(*new(T), err)
			return
		}
		defer c.close()
		c.each(func(m *received) bool {
			return yield(itemOf(c, m, bytes))
		}, func(err error) { yield(*new(T), err) })
	}
}

// each gives the messages of a call until one is not wanted, or there are no more.
// failed is called when the pipe has no more.
func (c *call) each(one func(*received) bool, failed func(error)) {
	for {
		m, err := c.receive()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			failed(err)
			return
		case !one(m):
			return
		}
	}
}

func itemOf[T any](c *call, m *received, bytes func(*T) *[]byte) (item T, err error) {
	err = c.read(m, &item)
	if b := bytes(&item); b != nil {
		*b = m.Data
	}
	return item, err
}

// download makes a call whose result is bytes, written to w.
func download(ctx context.Context, r *Runtime, w io.Writer, op string, args ...any) error {
	c, err := r.open(ctx, settled, op, args...)
	if err != nil {
		return err
	}
	defer c.close()
	for {
		m, err := c.receive()
		switch {
		case errors.Is(err, io.EOF):
			return c.silent()
		case err != nil:
			return err
		case m.Answer:
			return c.read(m, nil)
		}
		if _, err := w.Write(m.Data); err != nil {
			return fmt.Errorf("%s: write what has come: %w", op, err)
		}
	}
}

// upload makes a call that is given what r reads. ctx ends it at the next read.
func upload(ctx context.Context, r *Runtime, from io.Reader, value any, op string, args ...any) error {
	c, err := r.open(ctx, cut, op, args...)
	if err != nil {
		return err
	}
	defer c.close()
	unread := c.feed(from)
	err = c.answer(value)
	if unread != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: read what is to be sent: %w", op, unread)
	}
	return err
}

// feed sends what there is to read, or why it cannot be read, for as long as the
// far end takes it.
func (c *call) feed(from io.Reader) (unread error) {
	buf := make([]byte, chunk)
	for {
		n, err := from.Read(buf)
		taken := true
		if n > 0 {
			taken = c.send(&message{Data: buf[:n]}) == nil
		}
		switch {
		case !taken:
			return nil // its answer says why
		case errors.Is(err, io.EOF):
			_ = c.stream.CloseSend() // its answer says if that failed
			return nil
		case err != nil:
			_ = c.send(&message{Error: failed(err)})
			return err
		}
	}
}
