package containerd

import (
	"bytes"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// lastLines keeps the last lines of what is added to it, and no more. A line
// may be several entries, and the lines of the two streams may be interleaved.
type lastLines struct {
	most    int // lines; from 0 up
	lines   int
	entries []tailEntry
	open    map[runtime.Stream]bool // its last entry did not end its line
}

type tailEntry struct {
	runtime.LogEntry
	begins bool // a line
}

func (l *lastLines) add(e runtime.LogEntry) {
	if l.open == nil {
		l.open = map[runtime.Stream]bool{}
	}
	begins := !l.open[e.Stream]
	l.open[e.Stream] = !bytes.HasSuffix(e.Message, []byte{'\n'})
	if begins {
		l.lines++
	}
	l.entries = append(l.entries, tailEntry{e, begins})
	for len(l.entries) > 0 && (l.lines > l.most || !l.entries[0].begins) {
		if l.entries[0].begins {
			l.lines--
		}
		l.entries = l.entries[1:]
	}
}
