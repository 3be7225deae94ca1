package remote

import (
	"io"
	"net"
	"sync"
	"time"
)

// conn is a pipe as gRPC wants it.
type conn struct {
	io.Reader
	pipe io.WriteCloser

	once   sync.Once
	closed chan struct{}
	err    error

	mu   sync.Mutex
	lost error // what the last read, or write, has failed with
}

var _ net.Conn = (*conn)(nil)

// newConn is a connection that reads from r, which reads from the pipe.
func newConn(r io.Reader, pipe io.WriteCloser) *conn {
	return &conn{Reader: r, pipe: pipe, closed: make(chan struct{})}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.note(err)
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.pipe.Write(p)
	c.note(err)
	return n, err
}

// note keeps the first error: those after it follow from it.
func (c *conn) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost == nil {
		c.lost = err
	}
}

// why is what the pipe has failed with; nil: nothing.
func (c *conn) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

func (c *conn) Close() error {
	c.once.Do(func() {
		c.err = c.pipe.Close()
		close(c.closed)
	})
	return c.err
}

// addr is an end of a pipe.
type addr struct{}

func (addr) Network() string { return "pipe" }
func (addr) String() string  { return "pipe" }

func (c *conn) LocalAddr() net.Addr  { return addr{} }
func (c *conn) RemoteAddr() net.Addr { return addr{} }

// A pipe knows no deadlines. Where gRPC sets one it is about to close it, or
// watches over it by a context of its own.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// only is a listener that has one connection.
type only struct {
	conn  chan net.Conn
	close func()
	over  chan struct{}
}

func newOnly(c net.Conn) *only {
	l := &only{conn: make(chan net.Conn, 1), over: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.over) })
	l.conn <- c
	return l
}

func (l *only) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

func (l *only) Close() error {
	l.close()
	return nil
}

func (l *only) Addr() net.Addr { return addr{} }
