package placerd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/shunt-fleet/shunt/cmd/internal/settings"
	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
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

	key *seal.Key // of XKey
}

// Defaults is the command line without any flag.
func Defaults() Config {
	var c Config
	c.Flags(pflag.NewFlagSet("defaults", pflag.ContinueOnError))
	return c
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

// validate fills in what follows from the rest and names the flag at fault,
// before anything is started.
func (c *Config) validate() error {
	for _, check := range []func() error{c.checkServer, c.checkStore, c.checkPlacer} {
		if err := check(); err != nil {
			return err
		}
	}
	if c.ID == "" {
		c.ID = "placer-" + strings.ToLower(rand.Text()[:8])
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.XKey == "" {
		return nil
	}
	var err error
	if c.key, err = seal.LoadFile(c.XKey); err != nil {
		return fmt.Errorf("--xkey: %w", err)
	}
	return nil
}

// checkServer checks which NATS server it is to be, and how it is reached.
func (c *Config) checkServer() error {
	switch {
	case c.NATS == "" && c.EmbedNATS == "":
		return errors.New("neither --nats nor --embed-nats is given; want the URL of a server, or HOST:PORT for one of its own")
	case c.NATS != "" && c.EmbedNATS != "":
		return fmt.Errorf("--nats %q and --embed-nats %q are both given; want one (is SHUNT_NATS set?)", c.NATS, c.EmbedNATS)
	case c.EmbedNATS != "":
		return settings.CheckAddress("--embed-nats", c.EmbedNATS)
	}
	if err := settings.CheckServers("--nats", c.NATS); err != nil {
		return err
	}
	if err := settings.CheckFile("--creds", c.Creds); err != nil {
		return err
	}
	return settings.CheckFile("--tls-ca", c.TLSCA)
}

// checkStore checks what streams and buckets are to be like.
func (c *Config) checkStore() error {
	switch {
	case c.Replicas != 1 && c.Replicas != 3:
		return fmt.Errorf("--replicas: %d is not allowed; want 1, or 3 on a cluster", c.Replicas)
	case c.Replicas == 3 && c.EmbedNATS != "":
		return errors.New("--replicas: 3 wants a cluster; an embedded server is a single one")
	case c.StoreSize < 64<<20:
		return fmt.Errorf("--store-size: %d bytes are too few; want at least %d", c.StoreSize, 64<<20)
	}
	if _, _, err := natsserver.ParseSync(c.Sync); err != nil {
		return fmt.Errorf("--%w", err)
	}
	return nil
}

// checkPlacer checks what is the placer's own.
func (c *Config) checkPlacer() error {
	if c.ID != "" {
		if err := messages.CheckToken("--id", c.ID); err != nil {
			return err
		}
	}
	for _, err := range []error{
		messages.CheckToken("--subject-root", c.SubjectRoot),
		settings.CheckAddress("--http", c.HTTP),
		settings.CheckDuration("--request-timeout", c.RequestTimeout, 5*time.Second),
		settings.CheckDuration("--quiet-after", c.QuietAfter, time.Minute),
		settings.CheckCount("--moves-at-once", c.MovesAtOnce),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}
