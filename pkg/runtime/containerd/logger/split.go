package logger

import (
	"bytes"
	"time"
)

// splitter cuts one stream into records. It holds at most MaxPart bytes.
type splitter struct {
	stream  string
	pending []byte // the beginning of a line whose end has not come
}

// feed takes output and calls emit for each record that is now whole. The
// record's data is valid only during the call.
func (s *splitter) feed(at time.Time, data []byte, emit func(Record)) {
	for len(data) > 0 {
		room := MaxPart - len(s.pending)
		take := min(room, len(data))
		end := bytes.IndexByte(data[:take], '\n')
		if end >= 0 {
			take = end + 1
		}
		s.pending = append(s.pending, data[:take]...)
		data = data[take:]
		if end >= 0 || len(s.pending) == MaxPart {
			s.flush(at, emit)
		}
	}
}

// flush emits what waits for the end of its line.
func (s *splitter) flush(at time.Time, emit func(Record)) {
	if len(s.pending) == 0 {
		return
	}
	emit(Record{At: at, Stream: s.stream, Data: s.pending})
	s.pending = s.pending[:0]
}
