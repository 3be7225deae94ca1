package grpcfault

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Delay is how long a slow call takes to reach the server.
const Delay = 200 * time.Millisecond

// soon is when the proxy looks for a server that was away.
var soon = backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond}

// maxFrame is larger than any frame that a client or server of containerd's
// takes.
const maxFrame = 64 << 20

// Proxy is a running proxy. Make one with Listen.
type Proxy struct {
	listener *listener
	server   *grpc.Server
	upstream *grpc.ClientConn
	closed   chan struct{}

	mu    sync.Mutex
	plan  func(Call) Fault
	count map[string]int
	calls []Call
}

// Listen starts a proxy on a socket for the server on another one. The caller
// must Close it.
func Listen(socket, server string) (*Proxy, error) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("grpcfault: %w", err)
	}
	upstream, err := grpc.NewClient("unix://"+server,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: time.Second}),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(frames{}), grpc.MaxCallRecvMsgSize(maxFrame), grpc.MaxCallSendMsgSize(maxFrame), grpc.WaitForReady(false)))
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("grpcfault: %w", err)
	}
	p := &Proxy{listener: &listener{Listener: l, conns: map[net.Conn]bool{}}, upstream: upstream, closed: make(chan struct{}), count: map[string]int{}}
	p.server = grpc.NewServer(grpc.ForceServerCodecV2(frames{}), grpc.UnknownServiceHandler(p.handle),
		grpc.MaxRecvMsgSize(maxFrame), grpc.MaxSendMsgSize(maxFrame))
	go func() { _ = p.server.Serve(p.listener) }() // it ends with Close
	return p, nil
}

// Close ends the proxy and whatever hangs in it.
func (p *Proxy) Close() error {
	close(p.closed)
	p.server.Stop()
	return p.upstream.Close()
}

// Plan says from now on what happens to calls, and begins to count them anew.
// It is called once for each call, by several goroutines at once. nil lets all
// pass.
func (p *Proxy) Plan(plan func(Call) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.calls, p.count = plan, nil, map[string]int{}
}

// Calls are those since the last Plan, in their order.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Call(nil), p.calls...)
}

// note counts a call, and asks the plan about it.
func (p *Proxy) note(method string) Fault {
	p.mu.Lock()
	p.count[method]++
	call := Call{Method: method, N: p.count[method]}
	p.calls = append(p.calls, call)
	plan := p.plan
	p.mu.Unlock()
	if plan == nil {
		return None
	}
	return plan(call)
}

// handle is one call of a client.
func (p *Proxy) handle(_ any, client grpc.ServerStream) error {
	full, _ := grpc.MethodFromServerStream(client)
	fault := p.note(shortMethod(full))
	if fault == Slow {
		select {
		case <-time.After(Delay):
		case <-client.Context().Done():
		}
	}
	if fault.reaches() {
		swallowed, err := p.pass(client, full, fault)
		if !swallowed {
			return err
		}
	}
	return p.fail(client, full, fault)
}

// fail is what the client sees of a call that was not answered.
func (p *Proxy) fail(client grpc.ServerStream, full string, fault Fault) error {
	switch fault {
	case HangBefore, HangAfter:
		select {
		case <-client.Context().Done(): // the deadline has come along, and may be heard of here first
			return status.FromContextError(client.Context().Err()).Err()
		case <-p.closed:
		}
	case CutAfter:
		p.listener.cut()
	}
	return status.Errorf(codes.Unavailable, "grpcfault: %s of %s", fault, full)
}

// shortMethod is "Tasks/Create" for "/containerd.services.tasks.v1.Tasks/Create".
func shortMethod(full string) string {
	service, method, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
	return service[strings.LastIndexByte(service, '.')+1:] + "/" + method
}

// listener knows its connections, to break them.
type listener struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = true
	return &conn{Conn: c, listener: l}, nil
}

func (l *listener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.Close()
	}
}

type conn struct {
	net.Conn
	listener *listener
}

func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c.Conn)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
