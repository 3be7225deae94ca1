// Package client is how Go programs talk to a fleet: fleet schedulers that
// submit jobs and wait for their end, and tools that ask nodes and placers.
//
//	c, err := client.Connect(ctx, client.Config{URL: "nats://127.0.0.1:4222"})
//	if err != nil { … }
//	defer c.Close()
//	job := messages.Job{ID: "hello-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
//	if err := c.Submit(ctx, job); err != nil { … }
//	record, err := c.Wait(ctx, "hello-1")
//
// A Client has a method for each op and for each verb of the placers; those of
// a node's worker are at Node.
//
//	result, err := c.Stop(ctx, "web-rep-0", messages.Args{})          // an op, wherever the container is
//	for record, err := range c.Jobs(ctx, messages.JobsRequest{}) { … } // a verb: a list, page by page
//	for line, err := range c.Node("linux-1").Logs(ctx, …) { … }        // a verb of one worker
//
// It speaks the wire contract and nothing else, so what it does any client in
// any language can do. A Client and a Node are safe for concurrent use and
// survive reconnects; what is asked while the bus is away waits until the
// context ends, and what may have been lost with a connection is asked again
// where that does no harm. Errors that the other side answered with are
// *messages.Error. Sequences ask when they are ranged over, leave nothing behind
// when the caller stops early, and give an error last.
package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Config says where the fleet is. URL is required, unless Conn is given.
type Config struct {
	URL   string
	Creds string        // file with NATS credentials
	TLSCA string        // PEM file with the authorities of the server's certificate
	Name  string        // of this connection, shown by the server
	Root  messages.Root // default: messages.DefaultRoot
	// Options are more of the connection's: a token, a key, a client's certificate.
	Options []nats.Option
	// Conn is a connection of the caller's own, which Close leaves open.
	Conn *nats.Conn
}

// Client is a connection to a fleet.
type Client struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	root  messages.Root
	owned bool

	lookAgain  time.Duration // the longest pause between the looks of a wait
	lookWithin time.Duration // how long one of them waits for its answer
	silence    time.Duration // how long a streamed answer may say nothing
}

// ErrUnreachable says that the bus, or whoever should answer, cannot be
// reached.
var ErrUnreachable = errors.New("not reachable")

// Connect connects to the fleet's bus, or says within a few seconds why it
// cannot: that the bus is not reachable (ErrUnreachable), or refuses the client.
func Connect(ctx context.Context, cfg Config) (*Client, error) {
	if cfg.Root == "" {
		cfg.Root = messages.DefaultRoot
	}
	if err := cfg.Root.Validate(); err != nil {
		return nil, err
	}
	nc, owned := cfg.Conn, cfg.Conn == nil
	if owned {
		opts := []nats.Option{nats.Name(cfg.Name), nats.MaxReconnects(-1), nats.Timeout(dialTimeout)}
		if cfg.Creds != "" {
			opts = append(opts, nats.UserCredentials(cfg.Creds))
		}
		if cfg.TLSCA != "" {
			opts = append(opts, nats.RootCAs(cfg.TLSCA))
		}
		var err error
		opts = append(opts, cfg.Options...)
		if nc, err = nats.Connect(cfg.URL, opts...); err != nil {
			return nil, connectError(&cfg, err)
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	return &Client{
		nc: nc, js: js, root: cfg.Root, owned: owned,
		lookAgain: lookAgain, lookWithin: lookWithin, silence: silence,
	}, nil
}

// connectError says what to look at when there is no connection.
func connectError(cfg *Config, err error) error {
	switch {
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrTimeout), isDial(err):
		return fmt.Errorf("NATS at %q is %w: %w; is a server running there? (--nats, SHUNT_NATS)", cfg.URL, ErrUnreachable, err)
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
		return fmt.Errorf("NATS at %q refuses these credentials (--creds %q): %w", cfg.URL, cfg.Creds, err)
	}
	return fmt.Errorf("connect to NATS at %q (--creds %q, --tls-ca %q): %w", cfg.URL, cfg.Creds, cfg.TLSCA, err)
}

func isDial(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok
}

const dialTimeout = 2 * time.Second

// Close ends the connection, if it is the client's own.
func (c *Client) Close() {
	if c.owned {
		c.nc.Close()
	}
}
