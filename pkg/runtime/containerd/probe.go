//go:build linux || windows

package containerd

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Probe makes a health check: a command inside the container, http and tcp on
// its 127.0.0.1. So they work alike on every network, and see what the program
// itself would see.
func (r *Runtime) Probe(ctx context.Context, id runtime.ContainerID, check messages.Health) (runtime.Verdict, error) {
	if err := runtime.CheckHealth(check); err != nil {
		return runtime.Verdict{}, fmt.Errorf("container %s: %w", id, err)
	}
	if check.Command != nil {
		return runtime.CheckByCommand(ctx, r, id, check)
	}
	pid, err := r.PID(ctx, id)
	if err != nil {
		return runtime.Verdict{}, err
	}
	if pid == 0 {
		return runtime.Verdict{}, fmt.Errorf("container %s: check: it does not run: %w", id, errdefs.ErrFailedPrecondition)
	}
	dial, err := r.dialerOf(containerID(id), pid)
	if err != nil {
		return runtime.Verdict{}, about(id, err)
	}
	return runtime.WithinCheck(ctx, check, func(ctx context.Context) (runtime.Verdict, error) {
		v := checkBySocket(ctx, check, dial)
		return v, ctx.Err() // else the check was given up
	})
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// checkBySocket connects, and asks if it is http.
func checkBySocket(ctx context.Context, check messages.Health, dial dialer) runtime.Verdict {
	if check.HTTP != nil {
		return checkHTTP(ctx, check.HTTP, dial)
	}
	address := local(check.TCP.Port)
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return runtime.Verdict{Output: runtime.CheckOutput([]byte(err.Error()))}
	}
	conn.Close()
	return runtime.Verdict{Healthy: true, Output: address + " accepts connections"}
}

func local(port uint16) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))) }

// checkHTTP asks once, over a connection of its own, and follows no redirect: it
// would lead out of the container.
func checkHTTP(ctx context.Context, check *messages.HealthHTTP, dial dialer) runtime.Verdict {
	failed := func(err error) runtime.Verdict {
		return runtime.Verdict{Output: runtime.CheckOutput([]byte(err.Error()))}
	}
	path := check.Path
	if path == "" {
		path = "/"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+local(check.Port)+path, http.NoBody)
	if err != nil {
		return failed(err)
	}
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return failed(fmt.Errorf("GET %s: %w", path, err))
	}
	defer resp.Body.Close()
	body := make([]byte, messages.MaxCheckOutput/2)
	n, _ := io.ReadFull(resp.Body, body) // a body that ends early is an answer too
	said := fmt.Sprintf("GET %s: %s: %s", path, resp.Status, body[:n])
	return runtime.Verdict{
		Healthy: resp.StatusCode >= 200 && resp.StatusCode < 400,
		Output:  runtime.CheckOutput([]byte(said)),
	}
}
