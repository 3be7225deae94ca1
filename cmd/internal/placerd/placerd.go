// Package placerd is the placer as a program: its flags, and the wiring of a
// placer to NATS, its own or another's. cmd/placer and `shunt dev` start it, and
// so do end-to-end tests, on port 0.
package placerd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
	"github.com/shunt-fleet/shunt/internal/placer"
	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

// Config is the placer's command line.
type Config struct {
	NATS, Creds, TLSCA string // an external server
	EmbedNATS          string // HOST:PORT of an own one
	StoreDir, Sync     string // of the own one
	StoreSize          int64  // bytes for all streams and buckets
	Replicas           int
	HTTP               string
	ID                 string
	SubjectRoot        string
	RequestTimeout     time.Duration
	QuietAfter         time.Duration
	MovesAtOnce        int
	XKey               string // file of the key for credentials; "": kept in the store
	Logger             *slog.Logger
}

// Flags describes the command line.
func (c *Config) Flags(fs *pflag.FlagSet) {
	fs.StringVar(&c.NATS, "nats", "", "`URL` of the NATS server; of several in a cluster, separated by commas")
	fs.StringVar(&c.Creds, "creds", "", "`FILE` with the NATS credentials")
	fs.StringVar(&c.TLSCA, "tls-ca", "", "PEM `FILE` with the authorities of the NATS server's certificate")
	fs.StringVar(&c.EmbedNATS, "embed-nats", "", "run an own NATS server on `HOST:PORT` instead")
	fs.StringVar(&c.StoreDir, "store-dir", "", "`DIR` of the own NATS server's streams (default: a folder for state of the user)")
	fs.StringVar(&c.Sync, "sync", natsserver.SyncAlways, "when the own NATS server syncs: always, or every `DURATION`")
	fs.Int64Var(&c.StoreSize, "store-size", bus.DefaultBudget, "`BYTES` on disk for all streams and buckets together")
	fs.IntVar(&c.Replicas, "replicas", 1, "copies of every stream: 1, or 3 on a cluster")
	fs.StringVar(&c.HTTP, "http", "127.0.0.1:0", "`HOST:PORT` for /healthz")
	fs.StringVar(&c.ID, "id", "", "`NAME` of this placer (default: made up)")
	fs.StringVar(&c.SubjectRoot, "subject-root", messages.DefaultRoot, "first `TOKEN` of every subject")
	fs.DurationVar(&c.RequestTimeout, "request-timeout", 5*time.Second, "how long a command waits for its answer; a record that stood still for twice as long is taken up")
	fs.DurationVar(&c.QuietAfter, "quiet-after", time.Minute, "how long a running job may be quiet before its worker is asked about it")
	fs.StringVar(&c.XKey, "xkey", "", "`FILE` with the seed of the xkey that jobs' credentials are sealed for, the same for all placers (default: kept in the store)")
	fs.IntVar(&c.MovesAtOnce, "moves-at-once", 4, "how many services leave a node that drains at the same time")
}

func (c *Config) validate() error {
	switch {
	case c.NATS == "" && c.EmbedNATS == "":
		return errors.New("neither --nats nor --embed-nats is given; want the URL of a server, or HOST:PORT for one of its own")
	case c.NATS != "" && c.EmbedNATS != "":
		return fmt.Errorf("--nats %q and --embed-nats %q are both given; want one (is SHUNT_NATS set?)", c.NATS, c.EmbedNATS)
	case c.Replicas != 1 && c.Replicas != 3:
		return fmt.Errorf("--replicas: %d is not allowed; want 1, or 3 on a cluster", c.Replicas)
	case c.Replicas == 3 && c.EmbedNATS != "":
		return errors.New("--replicas: 3 wants a cluster; an embedded server is a single one")
	case c.MovesAtOnce < 0:
		return fmt.Errorf("--moves-at-once: %d is not allowed; want at least 1", c.MovesAtOnce)
	case c.StoreSize < 64<<20:
		return fmt.Errorf("--store-size: %d bytes are too few; want at least %d", c.StoreSize, 64<<20)
	}
	if err := messages.Root(c.SubjectRoot).Validate(); err != nil {
		return fmt.Errorf("--subject-root: %w", err)
	}
	if c.ID == "" {
		c.ID = "placer-" + strings.ToLower(rand.Text()[:8])
	}
	if err := messages.CheckToken("--id", c.ID); err != nil {
		return err
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}

// Placer is a running placer and what belongs to it.
type Placer struct {
	URL  string // of the NATS server it uses
	HTTP string // address of /healthz
	ID   string

	log    *slog.Logger
	server *natsserver.Server
	bus    *natsbus.Bus
	placer *placer.Placer
	web    func(context.Context) error
}

// Names are what the placer's ready line says.
func (p *Placer) Names() (node, nats, http string) { return p.ID, p.URL, p.HTTP }

// Start starts a placer; ctx bounds the start alone. Close ends it.
func Start(ctx context.Context, c Config) (*Placer, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	p := &Placer{URL: c.NATS, ID: c.ID, log: c.Logger}
	if err := p.start(ctx, c); err != nil {
		p.Close(ctx)
		return nil, err
	}
	return p, nil
}

func (p *Placer) start(ctx context.Context, c Config) error {
	link := natsbus.Config{URL: c.NATS, Name: "shunt-placer " + c.ID, CredsFile: c.Creds, TLSCA: c.TLSCA, Logger: c.Logger}
	if c.EmbedNATS != "" {
		if err := p.embed(c); err != nil {
			return err
		}
		link.URL, link.InProcess = p.URL, p.server
	}
	var err error
	var key *seal.Key
	if c.XKey != "" {
		if key, err = seal.LoadFile(c.XKey); err != nil {
			return fmt.Errorf("--xkey: %w", err)
		}
	}
	if p.bus, err = natsbus.Connect(ctx, link); err != nil {
		return err
	}
	root := messages.Root(c.SubjectRoot)
	p.placer, err = placer.Start(ctx, placer.Config{
		ID: c.ID, Bus: p.bus, Root: root, Layout: bus.NewLayout(root, c.Replicas, c.StoreSize),
		Version: version.Version, Logger: c.Logger, RequestTimeout: c.RequestTimeout,
		QuietAfter: c.QuietAfter, MovesAtOnce: c.MovesAtOnce, Key: key,
	})
	if err != nil {
		return err
	}
	p.HTTP, p.web, err = process.Serve(c.HTTP, p.bus.Connection)
	return err
}

// embed starts the own NATS server.
func (p *Placer) embed(c Config) error {
	dir := c.StoreDir
	if dir == "" {
		base, err := stateHome()
		if err != nil {
			return fmt.Errorf("--store-dir: none is given, and %w", err)
		}
		dir = filepath.Join(base, "shunt", "nats")
	}
	var err error
	p.server, err = natsserver.Start(natsserver.Config{
		Listen: c.EmbedNATS, StoreDir: dir, Sync: c.Sync, ServerName: "shunt-" + c.ID, Logger: c.Logger,
	})
	if err == nil {
		p.URL = p.server.ClientURL()
	}
	return err
}

// stateHome is where a user's programs keep what outlives them.
func stateHome() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state"), nil
}

// Close ends the placer, then its connection, then its server.
func (p *Placer) Close(ctx context.Context) {
	if p.web != nil {
		_ = p.web(ctx)
	}
	if p.placer != nil {
		p.placer.Stop(ctx)
	}
	if p.bus != nil {
		if err := p.bus.Close(ctx); err != nil {
			p.log.Warn("the connection did not close in good order", "error", err)
		}
	}
	if p.server != nil {
		if err := p.server.Shutdown(ctx); err != nil {
			p.log.Warn("the NATS server did not stop in good order", "error", err)
		}
	}
}
