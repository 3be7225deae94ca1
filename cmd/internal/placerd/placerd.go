// Package placerd is the placer as a program: its flags, and the wiring of a
// placer to NATS, its own or another's. cmd/placer and `shunt dev` start it, and
// so do end-to-end tests, on port 0.
package placerd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
	"github.com/shunt-fleet/shunt/internal/placer"
	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

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
	if p.bus, err = natsbus.Connect(ctx, link); err != nil {
		return err
	}
	root := messages.Root(c.SubjectRoot)
	p.placer, err = placer.Start(ctx, placer.Config{
		ID: c.ID, Bus: p.bus, Root: root, Layout: bus.NewLayout(root, c.Replicas, c.StoreSize),
		Version: version.Version, Logger: c.Logger, RequestTimeout: c.RequestTimeout,
		QuietAfter: c.QuietAfter, MovesAtOnce: c.MovesAtOnce, Key: c.key,
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
