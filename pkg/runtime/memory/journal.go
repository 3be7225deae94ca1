package memory

import (
	"bytes"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// maxPiece is the size of one entry, in bytes; a longer line is several.
const maxPiece = 16 << 10

// journal is a container's output, bounded. It is guarded by the machine's
// lock; the messages in it never change.
type journal struct {
	limit   int // bytes
	size    int
	first   int // the number of entries[0]: of those that were dropped
	entries []runtime.LogEntry
}

// write adds output, piece by piece.
func (j *journal) write(at time.Time, stream runtime.Stream, data []byte) {
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n') + 1
		if end == 0 {
			end = len(data)
		}
		end = min(end, maxPiece)
		j.entries = append(j.entries, runtime.LogEntry{At: at, Stream: stream, Message: data[:end]})
		j.size += end
		data = data[end:]
	}
	for j.size > j.limit {
		j.size -= len(j.entries[0].Message)
		j.entries[0] = runtime.LogEntry{} // lets its message go before the slice moves
		j.entries = j.entries[1:]
		j.first++
	}
}

// from is what was written from the entry of that number on, and the number
// that comes next. A reader that was too slow misses what was dropped.
func (j *journal) from(number int) (entries []runtime.LogEntry, next int) {
	i := max(0, number-j.first)
	return slices.Clone(j.entries[min(i, len(j.entries)):]), j.next()
}

// next is the number that the next entry will have.
func (j *journal) next() int { return j.first + len(j.entries) }

// begin is the number of the first entry that the options select.
func (j *journal) begin(opts runtime.LogOptions) int {
	i := slices.IndexFunc(j.entries, func(e runtime.LogEntry) bool { return !e.At.Before(opts.Since) })
	if i < 0 {
		i = len(j.entries)
	}
	if opts.Tail >= 0 {
		i = max(i, j.tail(opts.Tail))
	}
	return j.first + i
}

// tail is the index where the last so many lines begin. A line ends with a
// newline, or, as a stream's last, without one.
func (j *journal) tail(lines int) int {
	seen := map[runtime.Stream]bool{}
	for i, e := range slices.Backward(j.entries) {
		if !seen[e.Stream] || e.Message[len(e.Message)-1] == '\n' {
			if lines == 0 {
				return i + 1
			}
			lines--
		}
		seen[e.Stream] = true
	}
	return 0
}
