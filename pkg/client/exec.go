package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Streams are what a program in a container reads and writes. What is nil is
// empty, or thrown away. With a terminal everything is on Stdout.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Execution is a program that runs in a container. Its methods may be called
// from different goroutines.
type Execution struct {
	c       *Client
	node    string
	streams Streams

	ready   chan struct{} // closed when the session is known
	session string
	done    chan struct{} // closed when the program has ended, or is lost
	code    int
	err     error
	cancel  context.CancelFunc
	helpers sync.WaitGroup // the beat
}

// Exec starts a program in a running container. With a terminal or an input it is
// interactive: the worker sends no more than Stdout and Stderr take, and
// Resize and Signal work. Without, it is sent as it comes, and a writer that is
// too slow for it ends the call with an error.
//
// When ctx ends, the session does, and the worker ends the program. The caller
// must call Wait. Like os/exec, it cannot interrupt a Read of Stdin: the
// goroutine that reads it ends with the next byte or the end of file.
func (n *Node) Exec(ctx context.Context, req messages.ExecRequest, s Streams) (*Execution, error) {
	req.V, req.Stdin = messages.Version, req.Stdin || s.Stdin != nil
	if err := req.Validate(); err != nil {
		return nil, err
	}
	a, err := n.c.stream(n.c.root.NodeVerb(n.name, messages.VerbExec), req)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	x := &Execution{c: n.c, node: n.name, streams: s, ready: make(chan struct{}), done: make(chan struct{}), cancel: cancel}
	interactive := req.TTY || req.Stdin
	if !interactive {
		close(x.ready)
	}
	go func() {
		defer close(x.done)
		defer cancel()
		defer a.stop()
		x.code, x.err = x.run(ctx, a, interactive)
	}()
	return x, nil
}

// Wait waits for the program's end and is its exit code. An error says that it
// did not get that far.
func (x *Execution) Wait() (int, error) {
	<-x.done
	x.helpers.Wait()
	return x.code, x.err
}

// Close gives the program up, if it still runs.
func (x *Execution) Close() error {
	x.cancel()
	_, _ = x.Wait()
	return nil
}

// Resize sets the size of the program's terminal.
func (x *Execution) Resize(rows, cols uint16) error {
	return x.send("resize", messages.ExecResize{V: messages.Version, Rows: rows, Cols: cols})
}

// Signal sends a signal to the program: "INT", "TERM".
func (x *Execution) Signal(signal string) error {
	return x.send("signal", messages.ExecSignal{V: messages.Version, Signal: signal})
}

// errNoSession says what can be done only in a session.
var errNoSession = errors.New("the program was not started with a terminal or an input; it takes no signals and has no size")

// errEnded says that it is too late.
var errEnded = errors.New("the program has ended")

// send sends something to the session, once there is one.
func (x *Execution) send(part string, v any) error {
	select {
	case <-x.ready:
	case <-x.done:
		return errEnded
	}
	if x.session == "" {
		return errNoSession
	}
	data, err := messages.Encode(v)
	if err != nil {
		return err
	}
	return x.c.nc.Publish(x.subject(part), data)
}

func (x *Execution) subject(part string) string {
	return x.c.root.ExecSession(x.node, x.session, part)
}

// run reads the answer.
func (x *Execution) run(ctx context.Context, a *answer, interactive bool) (int, error) {
	var credit *credit
	for first := interactive; ; first = false {
		m, end, err := a.frame(ctx)
		switch {
		case err != nil:
			return -1, err
		case m == nil:
			return exitCode(end)
		case first:
			if credit, err = x.begin(ctx, m); err != nil {
				return -1, err
			}
		default:
			if err := x.write(m, credit); err != nil {
				return -1, err
			}
		}
	}
}

// exitCode is the exit code in the headers of an answer's end.
func exitCode(end nats.Header) (int, error) {
	code, err := strconv.Atoi(end.Get(messages.HeaderExitCode))
	if err != nil {
		return -1, fmt.Errorf("the worker ended the answer without an exit code (%s: %q)", messages.HeaderExitCode, end.Get(messages.HeaderExitCode))
	}
	return code, nil
}

// begin learns the session from the first frame.
func (x *Execution) begin(ctx context.Context, m *nats.Msg) (*credit, error) {
	var s messages.ExecSession
	if err := json.Unmarshal(m.Data, &s); err != nil || s.Validate() != nil {
		return nil, fmt.Errorf("the first frame of an interactive exec names no session: %q", m.Data)
	}
	x.session = s.Session
	close(x.ready)
	credit := &credit{give: func(bytes int64) error {
		return x.send("credit", messages.ExecCredit{V: messages.Version, Bytes: bytes})
	}}
	x.helpers.Go(func() { credit.beat(ctx) })
	go x.readInput(ctx)
	return credit, credit.give(creditWindow)
}

// write writes a frame, and gives credit for it once it is written.
func (x *Execution) write(m *nats.Msg, credit *credit) error {
	w := x.streams.Stdout
	if m.Header.Get(messages.HeaderStream) == streamStderr {
		w = x.streams.Stderr
	}
	if w != nil {
		if _, err := w.Write(m.Data); err != nil {
			return err
		}
	}
	if credit == nil {
		return nil
	}
	return credit.taken(len(m.Data))
}

// readInput sends the input until it ends, or the program does. A piece is sent
// when the program has taken the one before, so nothing gathers on the way.
func (x *Execution) readInput(ctx context.Context) {
	if x.streams.Stdin == nil {
		return // a terminal that nobody types at is not at its end
	}
	buf := make([]byte, messages.MaxFrameSize)
	for seq := uint64(1); ; seq++ {
		n, err := x.streams.Stdin.Read(buf)
		if n == 0 && err == nil {
			seq--
			continue
		}
		if n > 0 && x.input(ctx, seq, buf[:n]) != nil {
			return
		}
		if err != nil {
			if n > 0 {
				seq++
			}
			_ = x.input(ctx, seq, nil)
			return
		}
	}
}

// input sends a piece of the input, an empty one for its end, and waits until
// the program has taken it. An error says that the session is over.
func (x *Execution) input(ctx context.Context, seq uint64, data []byte) error {
	m := nats.NewMsg(x.subject("in"))
	m.Header.Set(messages.HeaderSeq, strconv.FormatUint(seq, 10))
	m.Data = data
	_, err := x.c.requestOnce(ctx, m)
	if errors.Is(err, errReconnected) {
		// Perhaps it was taken, and the answer was lost: a piece that came before
		// is dropped, and not answered.
		return x.c.nc.PublishMsg(m)
	}
	return err
}
