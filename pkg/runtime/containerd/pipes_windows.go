package containerd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/Microsoft/go-winio"
	"github.com/containerd/containerd/v2/pkg/cio"
)

// pipeAccess lets the system and administrators use a pipe, and nobody else.
const pipeAccess = "D:P(A;;GA;;;SY)(A;;GA;;;BA)"

// pipes are the named pipes of one program's streams. The shim dials each once.
// Those of containerd's client do not wait for what is still to be read, and so
// lose the end of what a program wrote.
type pipes struct {
	config  cio.Config
	reading sync.WaitGroup // of output; input need never end

	mu        sync.Mutex
	listeners []net.Listener
	conns     []net.Conn
	cancelled bool
}

var _ cio.IO = (*pipes)(nil)

// openPipes listens on pipes whose names begin with name; a stream that is nil
// has none. With a terminal stderr has none either: the shim insists.
func openPipes(name string, stdin io.Reader, stdout, stderr io.Writer, terminal bool) (_ *pipes, err error) {
	p := &pipes{config: cio.Config{Terminal: terminal}}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if stdin != nil {
		if err := p.input(name+"-stdin", stdin); err != nil {
			return nil, err
		}
	}
	if p.config.Stdout, err = p.output(name+"-stdout", stdout); err != nil {
		return nil, err
	}
	if terminal || stderr == nil {
		return p, nil
	}
	p.config.Stderr, err = p.output(name+"-stderr", stderr)
	return p, err
}

func (p *pipes) input(name string, from io.Reader) error {
	path, l, err := p.listen(name)
	if err != nil {
		return err
	}
	p.config.Stdin = path
	go p.use(l, func(c net.Conn) { _, _ = io.Copy(c, from) }) // who writes it sees where it ends
	return nil
}

func (p *pipes) output(name string, to io.Writer) (path string, err error) {
	path, l, err := p.listen(name)
	if err != nil {
		return "", err
	}
	p.reading.Go(func() {
		p.use(l, func(c net.Conn) { _, _ = io.Copy(to, c) }) // a writer that takes no more is done
	})
	return path, nil
}

func (p *pipes) listen(name string) (path string, l net.Listener, err error) {
	path = `\\.\pipe\` + name
	l, err = winio.ListenPipe(path, &winio.PipeConfig{SecurityDescriptor: pipeAccess})
	if err != nil {
		return "", nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	p.listeners = append(p.listeners, l)
	return path, l, nil
}

// use gives f the one connection of a pipe.
func (p *pipes) use(l net.Listener, f func(net.Conn)) {
	conn, err := l.Accept()
	if err != nil {
		return // nobody has dialled, and nobody will
	}
	_ = l.Close() // there is no second one
	defer conn.Close()
	p.mu.Lock()
	p.conns = append(p.conns, conn)
	cancelled := p.cancelled
	p.mu.Unlock()
	if !cancelled {
		f(conn)
	}
}

// Config names the pipes.
func (p *pipes) Config() cio.Config { return p.config }

// stopListening leaves alone who has dialled.
func (p *pipes) stopListening() {
	for _, l := range p.listeners {
		_ = l.Close() // it may be closed already
	}
}

// Wait returns when all output was read: the shim has closed its ends.
func (p *pipes) Wait() { p.reading.Wait() }

// Cancel ends the reading where it is.
func (p *pipes) Cancel() {
	p.stopListening()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancelled = true
	for _, c := range p.conns {
		_ = c.Close() // it may be closed already
	}
}

// Close is Cancel.
func (p *pipes) Close() error {
	p.Cancel()
	return nil
}

// execStreams are the pipes of a program that is executed.
func (r *Runtime) execStreams(stdin io.Reader, stdout, stderr io.Writer, terminal bool) cio.Creator {
	return func(id string) (cio.IO, error) {
		p, err := openPipes(r.pipeName(id), stdin, stdout, stderr, terminal)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
}

// pipeName begins the names of a program's pipes. They are the whole machine's,
// so the instance is part of them.
func (r *Runtime) pipeName(id string) string { return "shunt-" + r.cfg.instance() + "-" + id }
