package grpcfault_test

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/shunt-fleet/shunt/internal/grpcfault"
)

// checks is a server that counts the calls it hears of.
type checks struct {
	*health.Server
	heard atomic.Int64
}

func (c *checks) Check(ctx context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	c.heard.Add(1)
	return c.Server.Check(ctx, r)
}

// between is a client and a server with a proxy between them.
func between(t *testing.T) (*grpcfault.Proxy, grpc_health_v1.HealthClient, *checks) {
	t.Helper()
	dir := t.TempDir()
	behind, front := filepath.Join(dir, "server"), filepath.Join(dir, "proxy")
	l, err := net.Listen("unix", behind)
	if err != nil {
		t.Fatal(err)
	}
	server, handler := grpc.NewServer(), &checks{Server: health.NewServer()}
	grpc_health_v1.RegisterHealthServer(server, handler)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	p, err := grpcfault.Listen(front, behind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	conn, err := grpc.NewClient("unix://"+front, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return p, grpc_health_v1.NewHealthClient(conn), handler
}

func check(ctx context.Context, c grpc_health_v1.HealthClient) error {
	_, err := c.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return err
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		fault grpcfault.Fault
		heard int64
		code  codes.Code
	}{
		{grpcfault.None, 1, codes.OK},
		{grpcfault.Slow, 1, codes.OK},
		{grpcfault.RefuseBefore, 0, codes.Unavailable},
		{grpcfault.RefuseAfter, 1, codes.Unavailable},
		{grpcfault.CutAfter, 1, codes.Unavailable},
		{grpcfault.HangBefore, 0, codes.DeadlineExceeded},
		{grpcfault.HangAfter, 1, codes.DeadlineExceeded},
	} {
		t.Run("fault="+string(c.fault), func(t *testing.T) {
			p, client, server := between(t)
			p.Plan(func(call grpcfault.Call) grpcfault.Fault {
				if call.N == 2 {
					return c.fault
				}
				return grpcfault.None
			})
			if err := check(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			server.heard.Store(0)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := check(ctx, client); status.Code(err) != c.code || server.heard.Load() != c.heard {
				t.Errorf("%v, and the server heard %d calls; want %s and %d", err, server.heard.Load(), c.code, c.heard)
			}
			if err := check(t.Context(), client); err != nil {
				t.Errorf("the call after it: %v", err)
			}
			want := []grpcfault.Call{{Method: "Health/Check", N: 1}, {Method: "Health/Check", N: 2}, {Method: "Health/Check", N: 3}}
			if got := p.Calls(); !slices.Equal(got, want) {
				t.Errorf("calls are %v, want %v", got, want)
			}
		})
	}
}

// A stream's frames pass one by one, as they come.
func TestStream(t *testing.T) {
	p, client, server := between(t)
	stream, err := client.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []grpc_health_v1.HealthCheckResponse_ServingStatus{grpc_health_v1.HealthCheckResponse_SERVING, grpc_health_v1.HealthCheckResponse_NOT_SERVING} {
		server.SetServingStatus("", want)
		if got, err := stream.Recv(); err != nil || got.Status != want {
			t.Fatalf("%v, %v; want %v", got, err, want)
		}
	}
	p.Plan(func(grpcfault.Call) grpcfault.Fault { return grpcfault.CutAfter })
	if err := check(t.Context(), client); status.Code(err) != codes.Unavailable {
		t.Errorf("a call that is cut: %v", err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("a stream over a connection that was cut: %v", err)
	}
}
