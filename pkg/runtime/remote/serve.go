package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// ServeConfig says how a far end presents itself.
type ServeConfig struct {
	Version string       // of the program, for people
	Logger  *slog.Logger // default: slog.Default
}

// The times of a far end.
const (
	quietFor   = 30 * time.Second // without a word from the near end before it is asked for one
	answerIn   = 20 * time.Second // for it to answer that
	farewellIn = 5 * time.Second  // for a goodbye to be heard
	settleAll  = 10 * time.Second // for the calls under way to end
)

// ErrLeft is why Serve returns when ctx has not ended: the near end has.
var ErrLeft = errors.New("the near end of the pipe is gone")

// Serve says hello on a pipe and serves rt there, until ctx ends, of which the
// near end is told the cause, or the near end is gone, which is ErrLeft. It
// closes the pipe. The calls under way are cancelled, and have ended when it
// returns, unless they take more than ten seconds for it.
func Serve(ctx context.Context, pipe io.ReadWriteCloser, rt runtime.Runtime, cfg ServeConfig) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	defer pipe.Close()
	if err := writeHello(pipe, hello{Protocol: protocol, Version: cfg.Version}); err != nil {
		return err
	}
	s := newServer(rt, cfg.Logger)
	g := grpc.NewServer(
		grpc.ForceServerCodecV2(codec{}), grpc.WaitForHandlers(true),
		grpc.MaxRecvMsgSize(mostBytes), grpc.MaxSendMsgSize(mostBytes),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: quietFor, Timeout: answerIn}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	g.RegisterService(description(), s)
	c := newConn(pipe, pipe)
	listener := newOnly(c)
	go func() { _ = g.Serve(listener) }() // it ends with Stop
	err := ErrLeft
	select {
	case <-c.closed:
	case <-ctx.Done():
		err = nil
		s.leave(context.Cause(ctx), c.closed)
	}
	return errors.Join(err, stop(g))
}

// Decline says hello on a pipe, and that there is no runtime, and why.
func Decline(pipe io.WriteCloser, why error, cfg ServeConfig) error {
	defer pipe.Close()
	return writeHello(pipe, hello{Protocol: protocol, Version: cfg.Version, Error: failed(why)})
}

// stop ends the calls under way.
func stop(g *grpc.Server) error {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		g.Stop()
	}()
	select {
	case <-stopped:
		return nil
	case <-time.After(settleAll):
		return fmt.Errorf("some calls have not ended %v after they were cancelled", settleAll)
	}
}
