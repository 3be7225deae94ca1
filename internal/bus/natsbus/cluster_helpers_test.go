package natsbus_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// cluster is three servers in this process. A user runs real ones, so how to
// cluster is no setting of natsserver.
type cluster struct {
	t     *testing.T
	dir   string
	nodes []*server.Server
}

// startCluster starts a cluster, and returns when all three know each other.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), nodes: make([]*server.Server, 3)}
	for i := range c.nodes {
		c.start(i)
	}
	t.Cleanup(func() {
		for i, s := range c.nodes {
			if s != nil {
				c.stop(i)
			}
		}
	})
	await(t, func() bool { return c.leader() >= 0 })
	return c
}

// start starts a node over its store, at ports that the kernel chooses: those
// that run need not know where, it goes to them.
func (c *cluster) start(i int) {
	c.t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: fmt.Sprint("nats-", i),
		Host:       "127.0.0.1", Port: server.RANDOM_PORT,
		JetStream: true, StoreDir: filepath.Join(c.dir, fmt.Sprint(i)), SyncAlways: true,
		MaxPayload: messages.MaxBusPayload,
		Cluster:    server.ClusterOpts{Name: "shunt", Host: "127.0.0.1", Port: server.RANDOM_PORT},
		Routes:     c.routes(i),
		NoSigs:     true, NoLog: true,
	})
	must(c.t, err)
	c.nodes[i] = s
	go s.Start()
	if !s.ReadyForConnections(patience) {
		c.t.Fatalf("server %d does not start", i)
	}
}

// routes are where a node finds the others. A server counts them to know how
// large the cluster is to be, so one that is not there yet has an address where
// nobody is.
func (c *cluster) routes(i int) (routes []*url.URL) {
	for other, s := range c.nodes {
		host := "127.0.0.1:1"
		if s != nil && s.Running() {
			host = s.ClusterAddr().String()
		}
		if other != i {
			routes = append(routes, &url.URL{Scheme: "nats", Host: host})
		}
	}
	return routes
}

func (c *cluster) stop(i int) {
	c.nodes[i].Shutdown()
	c.nodes[i].WaitForShutdown()
}

// leader is the node that leads JetStream's own group, or -1.
func (c *cluster) leader() int {
	return c.find(func(s *server.Server) bool { return s.JetStreamIsLeader() })
}

// leaderOf is the node that leads a stream, or -1.
func (c *cluster) leaderOf(stream string) int {
	return c.find(func(s *server.Server) bool { return s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream) })
}

func (c *cluster) find(is func(*server.Server) bool) int {
	for i, s := range c.nodes {
		if s.Running() && is(s) {
			return i
		}
	}
	return -1
}

// url is where clients connect, as a user writes it after --nats.
func (c *cluster) url() string {
	var all []string
	for _, s := range c.nodes {
		all = append(all, s.ClientURL())
	}
	return strings.Join(all, ",")
}
