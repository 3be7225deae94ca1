package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/natscontext"

	"github.com/shunt-fleet/shunt/pkg/client"
)

// defaultURL is where a server is looked for when nothing else is said.
const defaultURL = "nats://127.0.0.1:4222"

// errNoServer says that it was the server that could not be reached.
var errNoServer = errors.New("no server")

// connect connects to the fleet; stop must be called.
func (a *app) connect(ctx context.Context) (c *client.Client, stop func(), err error) {
	cfg := a.cfg
	cfg.Name = "shunt"
	if a.context != "" {
		return a.connectByContext(ctx, cfg)
	}
	if c, err = client.Connect(ctx, cfg); err != nil {
		if errors.Is(err, client.ErrUnreachable) {
			err = &serverError{err}
		}
		return nil, nil, err
	}
	return c, c.Close, nil
}

// serverError marks an error of the connection as one.
type serverError struct{ error }

func (e *serverError) Unwrap() []error { return []error{e.error, errNoServer} }

// connectByContext connects as a context of the nats command line says. What is
// given beside it wins.
func (a *app) connectByContext(ctx context.Context, cfg client.Config) (*client.Client, func(), error) {
	opts := []nats.Option{nats.Name(cfg.Name), nats.MaxReconnects(-1)}
	if cfg.Creds != "" {
		opts = append(opts, nats.UserCredentials(cfg.Creds))
	}
	if cfg.TLSCA != "" {
		opts = append(opts, nats.RootCAs(cfg.TLSCA))
	}
	if a.both {
		return nil, nil, fmt.Errorf("--context %q and --nats %q are both given; want one", a.context, cfg.URL)
	}
	nc, about, err := natscontext.Connect(a.context, opts...)
	switch {
	case err != nil && about.URL == "" && !isConnection(err):
		return nil, nil, fmt.Errorf("--context %q: %w; want one that `nats context ls` lists, or the path of its file", a.context, err)
	case err != nil:
		return nil, nil, &serverError{fmt.Errorf("--context %q: %w: %w", a.context, client.ErrUnreachable, err)}
	}
	cfg.Conn = nc
	c, err := client.Connect(ctx, cfg)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return c, nc.Close, nil
}

// isConnection tells an error of the connection from one of the context's file.
func isConnection(err error) bool {
	return errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrAuthorization)
}
