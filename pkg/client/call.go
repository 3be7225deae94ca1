package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// call sends a request and decodes the one answer. The error is a
// *messages.Error when the other side answered with one. A request whose
// connection was lost is sent again: it must be one that may come twice.
func call[Reply any](ctx context.Context, c *Client, subject string, request any) (Reply, error) {
	return exchange[Reply](ctx, c, subject, request, true)
}

func exchange[Reply any](ctx context.Context, c *Client, subject string, request any, again bool) (Reply, error) {
	var reply Reply
	data, err := messages.Encode(request)
	if err != nil {
		return reply, err
	}
	m := nats.NewMsg(subject)
	m.Data = data
	answer, err := c.request(ctx, m, again)
	if err != nil {
		return reply, err
	}
	if err := errorOf(answer); err != nil {
		return reply, err
	}
	return reply, decode(answer.Data, &reply)
}

// errReconnected ends the wait for an answer that may have been lost.
var errReconnected = errors.New("the connection was lost and is back")

// request sends a request and waits for the one answer.
func (c *Client) request(ctx context.Context, m *nats.Msg, again bool) (*nats.Msg, error) {
	for {
		answer, err := c.requestOnce(ctx, m)
		switch {
		case err == nil:
			return answer, nil
		case errors.Is(err, errReconnected) && again:
			continue
		case errors.Is(err, nats.ErrNoResponders):
			return nil, fmt.Errorf("nobody answers on %s: %w", m.Subject, ErrUnreachable)
		case errors.Is(err, nats.ErrConnectionClosed):
			return nil, fmt.Errorf("ask %s: %w: %w", m.Subject, ErrUnreachable, err)
		}
		return nil, fmt.Errorf("ask %s: %w", m.Subject, err)
	}
}

// requestOnce gives up when the connection has been lost meanwhile.
func (c *Client) requestOnce(ctx context.Context, m *nats.Msg) (*nats.Msg, error) {
	ctx, stop := c.whileConnected(ctx)
	defer stop()
	answer, err := c.nc.RequestMsgWithContext(ctx, m)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return answer, err
}

// whileConnected is a context that ends, with errReconnected, when the connection
// was lost and is back. stop must be called.
func (c *Client) whileConnected(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	back := c.nc.StatusChanged(nats.CONNECTED)
	go func() {
		if _, ok := <-back; ok {
			cancel(errReconnected)
		}
	}()
	return ctx, func() {
		c.nc.RemoveStatusListener(back) // closes it
		cancel(nil)
	}
}

// errorOf is the error in the headers of an answer, or nil.
func errorOf(m *nats.Msg) error {
	text := m.Header.Get(messages.HeaderError)
	if text == "" {
		return nil
	}
	code, message, found := strings.Cut(text, ": ")
	if !found {
		code, message = string(messages.CodeUnknown), text
	}
	return &messages.Error{Code: messages.Code(code), Message: message}
}

// pages is a list, asked for page by page as it is read: ask gives the page
// behind a cursor, and the cursor of the next one.
func pages[Item any](ask func(cursor string) ([]Item, string, error)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var none Item
		for cursor := ""; ; {
			items, next, err := ask(cursor)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			if next == cursor {
				yield(none, fmt.Errorf("the list does not go on behind %q", cursor))
				return
			}
			cursor = next
		}
	}
}
