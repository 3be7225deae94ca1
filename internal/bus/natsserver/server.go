// Package natsserver runs a NATS server with JetStream in this process, for
// fleets that have no NATS of their own: `placer --embed-nats`, `shunt dev`.
//
// It is a package apart from natsbus so that a worker does not carry a server.
// Start returns when clients can connect; the caller ends the server with
// Shutdown, after its own clients are closed. The server handles no signals and
// writes no log but through the logger it is given.
package natsserver

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
)

// Server is a running NATS server. Its methods are safe for concurrent use.
type Server struct {
	nats *server.Server
	log  *logger
	lock *flock.Flock // of the store
}

// startPatience is how long a server may take to read what it has stored.
const startPatience = 2 * time.Minute

// Start runs a server and waits until it takes connections. What is stored under
// cfg.StoreDir from an earlier run is there again. One store belongs to one
// server at a time.
func Start(cfg Config) (*Server, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.StoreDir, 0o700); err != nil {
		return nil, fmt.Errorf("nats server: store-dir: %w", err)
	}
	lock, err := lockStore(cfg.StoreDir)
	if err != nil {
		return nil, err
	}
	log := newLogger(cfg.Logger)
	n, err := server.NewServer(opts)
	if err != nil {
		_ = lock.Unlock()
		return nil, fmt.Errorf("nats server: %w", err)
	}
	n.SetLoggerV2(log, log.debug(), false, false)
	s := &Server{nats: n, log: log, lock: lock}
	go n.Start()
	if err := s.ready(); err != nil {
		s.end()
		return nil, fmt.Errorf("nats server on %s: %w", cfg.Listen, err)
	}
	return s, nil
}

// lockStore keeps a second server from opening the store: nats-server itself
// would, and the two would overwrite each other's streams.
func lockStore(dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, "shunt.lock"))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("nats server: store-dir: lock %s: %w", dir, err)
	}
	if !got {
		return nil, fmt.Errorf("nats server: store-dir: %s is in use by another NATS server; stop it, or give this one a --store-dir of its own", dir)
	}
	return lock, nil
}

// end ends the server and lets go of its store.
func (s *Server) end() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
	_ = s.lock.Unlock()
}

// ready waits for the listener, a fatal error, or the end of patience.
func (s *Server) ready() error {
	const step = 50 * time.Millisecond // ReadyForConnections polls within it
	late := time.After(startPatience)
	for {
		if s.nats.ReadyForConnections(step) {
			return nil
		}
		select {
		case err := <-s.log.fatal:
			return err
		case <-late:
			return fmt.Errorf("not ready after %v", startPatience)
		default:
		}
	}
}

// ClientURL is where clients connect, with the port that the kernel chose if
// none was given.
func (s *Server) ClientURL() string { return s.nats.ClientURL() }

// InProcessConn is a connection to the server that does not use the network: a
// Server is what nats.InProcessServer takes.
func (s *Server) InProcessConn() (net.Conn, error) { return s.nats.InProcessConn() }

// Shutdown ends all connections, syncs and closes the store, and returns when
// the server is gone, or with an error when ctx ends before; the server then
// still goes on ending.
func (s *Server) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.end()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("nats server: shutting down: %w", context.Cause(ctx))
	}
}

// hostPort splits a listen address; port 0 is the kernel's choice.
func hostPort(listen string) (string, int, error) {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("listen: %q is not HOST:PORT such as 127.0.0.1:4222: %w", listen, err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("listen: port %q of %q is not a number from 0 to 65535", text, listen)
	}
	if port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(port), nil
}
