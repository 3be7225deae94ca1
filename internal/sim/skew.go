package sim

import (
	"regexp"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// A bubble has one clock. That a process's wall clock is wrong shows to others
// in the instants it writes, and to itself in those it reads: so every instant
// in a message is put forward by the clock's error when it leaves the process,
// and back when it comes in. That is the same, for all who can tell.

var instant = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"`)

// shifted is JSON with its instants moved.
func shifted(data []byte, by time.Duration) []byte {
	if by == 0 || len(data) == 0 {
		return data
	}
	return instant.ReplaceAllFunc(data, func(quoted []byte) []byte {
		t, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(quoted))
		if err != nil || t.IsZero() {
			return quoted
		}
		return t.Add(by).AppendFormat(nil, `"`+time.RFC3339Nano+`"`)
	})
}

// written is what a process writes, read what it reads.
func (l *life) written(data []byte) []byte { return shifted(data, l.p.skew) }
func (l *life) read(data []byte) []byte    { return shifted(data, -l.p.skew) }

func (l *life) out(m bus.Message) bus.Message {
	m.Data = l.written(m.Data)
	return m
}

func (l *life) in(m bus.Message) bus.Message {
	m.Data = l.read(m.Data)
	return m
}
