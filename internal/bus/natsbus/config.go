package natsbus

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Config says where the bus is and who is asking. URL or InProcess is required.
type Config struct {
	URL         string // nats://HOST:PORT or tls://…; several are separated by commas
	Name        string // of this connection, shown by the server
	CredsFile   string // JWT and seed, as `nsc` writes them
	NKeyFile    string // a seed alone
	TLSCA       string // PEM file with the authorities of the server's certificate
	InboxPrefix string // where replies go; "": _INBOX, which any client of the account can read
	// PingInterval is how often a quiet connection is tried; one that has not
	// answered twice is dead. 0: 3 s, so that a cut is known within 9 s.
	PingInterval time.Duration
	// InProcess connects to an embedded server without the network; URL is then
	// only a name in messages.
	InProcess nats.InProcessConnProvider
	Logger    *slog.Logger
}

// complete fills in the defaults and names the field at fault.
func (c Config) complete() (Config, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.PingInterval == 0 {
		c.PingInterval = 3 * time.Second
	}
	switch {
	case c.URL == "" && c.InProcess == nil:
		return c, errors.New("nats: no URL is given; say nats://HOST:PORT")
	case c.PingInterval < 0:
		return c, fmt.Errorf("nats: ping interval: %v is negative", c.PingInterval)
	case c.CredsFile != "" && c.NKeyFile != "":
		return c, fmt.Errorf("nats: creds %q and nkey %q are both given; one is enough", c.CredsFile, c.NKeyFile)
	case strings.ContainsAny(c.InboxPrefix, "*> \t") || strings.HasSuffix(c.InboxPrefix, "."):
		return c, fmt.Errorf("nats: inbox prefix: %q is not a subject without wildcards, such as _INBOX_worker-1", c.InboxPrefix)
	}
	for field, path := range map[string]string{"creds": c.CredsFile, "nkey": c.NKeyFile, "tls-ca": c.TLSCA} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return c, fmt.Errorf("nats: %s: %w", field, err)
		}
	}
	return c, nil
}

// place is the address without the password that may be in it.
func (c Config) place() string {
	if c.InProcess != nil {
		return "the server in this process"
	}
	addresses := strings.Split(c.URL, ",")
	for i, address := range addresses {
		if u, err := url.Parse(strings.TrimSpace(address)); err == nil {
			addresses[i] = u.Redacted()
		}
	}
	return strings.Join(addresses, ",")
}

// options are the client's, but for the handlers.
func (c Config) options() ([]nats.Option, error) {
	opts := []nats.Option{
		nats.Name(c.Name),
		nats.Timeout(2 * time.Second),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(500*time.Millisecond, time.Second),
		nats.ReconnectBufSize(-1),
		nats.IgnoreAuthErrorAbort(), // credentials may be mended while we wait
		nats.PingInterval(c.PingInterval),
		nats.MaxPingsOutstanding(2),
	}
	if c.InboxPrefix != "" {
		opts = append(opts, nats.CustomInboxPrefix(c.InboxPrefix))
	}
	if c.CredsFile != "" {
		opts = append(opts, nats.UserCredentials(c.CredsFile))
	}
	if c.NKeyFile != "" {
		nkey, err := nats.NkeyOptionFromSeed(c.NKeyFile)
		if err != nil {
			return nil, fmt.Errorf("nats: nkey %s: %w", c.NKeyFile, err)
		}
		opts = append(opts, nkey)
	}
	if c.TLSCA != "" {
		opts = append(opts, nats.RootCAs(c.TLSCA))
	}
	if c.InProcess != nil {
		opts = append(opts, nats.InProcessServer(c.InProcess))
	}
	return opts, nil
}
