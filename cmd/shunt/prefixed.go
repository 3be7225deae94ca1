package main

import (
	"bytes"
	"io"
	"sync"
)

// prefixed writes whole lines, each with whose it is in front. Several share a
// writer, and a lock.
type prefixed struct {
	w      io.Writer
	mu     *sync.Mutex
	prefix string
	line   []byte // that has not ended yet
}

func newPrefixed(w io.Writer, mu *sync.Mutex, name string) *prefixed {
	return &prefixed{w: w, mu: mu, prefix: name + " | "}
}

// longestLine is how much of a line without an end is kept; then it is written
// with an end of its own.
const longestLine = 64 << 10

func (p *prefixed) Write(data []byte) (int, error) {
	p.line = append(p.line, data...)
	var out bytes.Buffer
	for {
		end := bytes.IndexByte(p.line, '\n')
		if end < 0 {
			break
		}
		out.WriteString(p.prefix)
		out.Write(p.line[:end+1])
		p.line = p.line[end+1:]
	}
	if len(p.line) > longestLine {
		out.WriteString(p.prefix)
		out.Write(append(p.line, '\n'))
		p.line = nil
	}
	if out.Len() == 0 {
		return len(data), nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(data), nil
}

// rest writes a last line that has no end.
func (p *prefixed) rest() {
	if len(p.line) > 0 {
		_, _ = p.Write([]byte("\n"))
	}
}
