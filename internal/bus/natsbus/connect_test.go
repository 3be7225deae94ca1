package natsbus_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// raw is a server with settings that natsserver would not allow.
func raw(t *testing.T, opts server.Options) string {
	t.Helper()
	opts.Host, opts.Port, opts.NoSigs, opts.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	s, err := server.NewServer(&opts)
	must(t, err)
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s.ClientURL()
}

func wantSays(t *testing.T, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q does not mention %q", err, s)
		}
	}
}

func TestConnectNobodyThere(t *testing.T) {
	const nowhere = "nats://user:secret@127.0.0.1:1"
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := natsbus.Connect(ctx, natsbus.Config{URL: nowhere})
	wantSays(t, err, "127.0.0.1:1", "check the address")
	if !errors.Is(err, bus.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v is of another kind", err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error %q gives the password away", err)
	}
}

func TestConnectWaitsForTheServer(t *testing.T) {
	probe := startServer(t, natsserver.Config{})
	url := probe.ClientURL()
	stopServer(t, probe)
	connected := make(chan error, 1)
	go func() {
		b, err := natsbus.Connect(t.Context(), natsbus.Config{URL: url})
		if err == nil {
			err = b.Close(t.Context())
		}
		connected <- err
	}()
	startServer(t, natsserver.Config{Listen: hostOf(t, url)})
	must(t, receive(t, connected))
}

// TestConnectToOneOfSeveral gives the addresses of a cluster, of which one is
// away.
func TestConnectToOneOfSeveral(t *testing.T) {
	const away = "nats://user:secret@127.0.0.1:1"
	server := startServer(t, natsserver.Config{Sync: "1s"})
	for _, urls := range []string{away + "," + server.ClientURL(), server.ClientURL() + ", " + away} {
		b := connect(t, urls)
		ensure(t.Context(), t, b)
		must(t, b.Close(t.Context()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := natsbus.Connect(ctx, natsbus.Config{URL: away + "," + strings.Replace(away, "127.0.0.1:1", "127.0.0.1:2", 1)})
	wantSays(t, err, "127.0.0.1:1", "127.0.0.1:2")
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error %q gives the password away", err)
	}
}

func TestConnectMaxPayloadTooSmall(t *testing.T) {
	url := raw(t, server.Options{MaxPayload: 64 << 10})
	_, err := natsbus.Connect(t.Context(), natsbus.Config{URL: url})
	wantSays(t, err, url, "65536", "1048576", "max_payload: 1MB")
}

func TestConnectRefused(t *testing.T) {
	key, err := nkeys.CreateUser()
	must(t, err)
	seed, err := key.Seed()
	must(t, err)
	public, err := key.PublicKey()
	must(t, err)
	file := filepath.Join(t.TempDir(), "user.nk")
	must(t, os.WriteFile(file, seed, 0o600))

	open := raw(t, server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}})
	b, err := natsbus.Connect(t.Context(), natsbus.Config{URL: open, NKeyFile: file})
	must(t, err)
	must(t, b.Close(t.Context()))

	_, err = natsbus.Connect(t.Context(), natsbus.Config{URL: open})
	wantSays(t, err, open, "Authorization", "credentials")
	shut := raw(t, server.Options{Username: "u", Password: "p"})
	_, err = natsbus.Connect(t.Context(), natsbus.Config{URL: strings.Replace(shut, "//", "//u:wrong@", 1)})
	wantSays(t, err, "Authorization", "credentials")
	if strings.Contains(err.Error(), "wrong") {
		t.Errorf("error %q gives the password away", err)
	}
}

func TestConnectConfig(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  natsbus.Config
		says []string
	}{
		"no url":        {natsbus.Config{}, []string{"URL", "nats://"}},
		"missing creds": {natsbus.Config{URL: "nats://x", CredsFile: "/not/there"}, []string{"creds", "/not/there"}},
		"two creds":     {natsbus.Config{URL: "nats://x", CredsFile: "a", NKeyFile: "b"}, []string{"creds", "nkey"}},
		"missing ca":    {natsbus.Config{URL: "nats://x", TLSCA: "/not/there"}, []string{"tls-ca", "/not/there"}},
		"inbox":         {natsbus.Config{URL: "nats://x", InboxPrefix: "a.>"}, []string{"inbox prefix", "a.>"}},
		"ping":          {natsbus.Config{URL: "nats://x", PingInterval: -1}, []string{"ping interval"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := natsbus.Connect(t.Context(), test.cfg)
			wantSays(t, err, test.says...)
		})
	}
}

func TestInProcess(t *testing.T) {
	s := startServer(t, natsserver.Config{Sync: "1s"})
	b, err := natsbus.Connect(t.Context(), natsbus.Config{InProcess: s, InboxPrefix: "_INBOX_test"})
	must(t, err)
	ensure(t.Context(), t, b)
	_, err = b.Append(t.Context(), bus.Message{Subject: "shunt.job.x"})
	must(t, err)
	must(t, b.Close(t.Context()))
}

func TestEnsureWithoutJetStream(t *testing.T) {
	b := connect(t, raw(t, server.Options{}))
	err := b.Ensure(t.Context(), bus.NewLayout("shunt", 1, 256<<20))
	wantSays(t, err, "JetStream", "store_dir")
	if !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("error %v is of another kind", err)
	}
}

func TestEnsureWithoutRoom(t *testing.T) {
	s := startServer(t, natsserver.Config{MaxStore: 64 << 20})
	err := connect(t, s.ClientURL()).Ensure(t.Context(), bus.NewLayout("shunt", 1, 256<<20))
	wantSays(t, err, "stream SHUNT_OUTCOMES", "max_file_store")
}

func TestEnsureReplicasWithoutCluster(t *testing.T) {
	s := startServer(t, natsserver.Config{})
	err := connect(t, s.ClientURL()).Ensure(t.Context(), bus.NewLayout("shunt", 3, 256<<20))
	wantSays(t, err, "stream SHUNT_INTAKE", "replica")
}
