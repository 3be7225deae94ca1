package natsserver

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// SyncAlways makes every write durable before it is acknowledged.
const SyncAlways = "always"

// Config says how the server runs. Listen and StoreDir are required.
type Config struct {
	Listen     string // HOST:PORT; port 0: the kernel chooses
	StoreDir   string // made if it is not there
	Sync       string // SyncAlways, or how often to sync, as "1s"; "": SyncAlways
	MaxPayload int32  // bytes of a message; 0: 1 MiB, the least shunt needs
	MaxStore   int64  // bytes of disk for JetStream; 0: three quarters of what is free
	ServerName string // in the server's logs and discovery; "": made up
	Logger     *slog.Logger
}

// options checks the configuration, and names the field at fault.
func (c Config) options() (*server.Options, error) {
	host, port, err := hostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("nats server: %w", err)
	}
	if c.StoreDir == "" {
		return nil, fmt.Errorf("nats server: store-dir: none is given; name a directory that outlives the process")
	}
	if c.MaxPayload == 0 {
		c.MaxPayload = messages.MaxBusPayload
	}
	if c.MaxPayload < messages.MaxBusPayload {
		return nil, fmt.Errorf("nats server: max payload: %d bytes are too few, shunt needs at least %d",
			c.MaxPayload, messages.MaxBusPayload)
	}
	if c.MaxStore < 0 {
		return nil, fmt.Errorf("nats server: max store: %d is negative; 0 means three quarters of the free disk", c.MaxStore)
	}
	opts := &server.Options{
		Host: host, Port: port,
		ServerName: c.ServerName,
		MaxPayload: c.MaxPayload,
		JetStream:  true,
		StoreDir:   c.StoreDir,
		NoSigs:     true,
		// Zero is "find out"; any other number is a reservation that must hold.
		JetStreamMaxStore: c.MaxStore,
	}
	if opts.SyncAlways, opts.SyncInterval, err = ParseSync(c.Sync); err != nil {
		return nil, fmt.Errorf("nats server: %w", err)
	}
	return opts, nil
}

// ParseSync reads what Config.Sync says.
func ParseSync(text string) (always bool, every time.Duration, err error) {
	if text == "" || text == SyncAlways {
		return true, 0, nil
	}
	every, err = time.ParseDuration(text)
	if err != nil || every <= 0 {
		return false, 0, fmt.Errorf("sync: %q is neither %q nor a duration above zero such as \"1s\"", text, SyncAlways)
	}
	return false, every, nil
}
