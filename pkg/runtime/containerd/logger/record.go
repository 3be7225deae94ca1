package logger

import (
	"bytes"
	"time"
)

// MaxPart is the most bytes of output that one record holds.
const MaxPart = 16 << 10

// timeLayout has a fixed width, so that records line up.
const timeLayout = "2006-01-02T15:04:05.000000000Z07:00"

// The streams.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// Record is a piece of output.
type Record struct {
	At     time.Time // when the logger received its end
	Stream string    // Stdout or Stderr
	// Data is the output itself. A whole line has its newline, a part that was
	// split, or that its program never ended, has none.
	Data []byte
}

// Whole tells whether the record ends its line.
func (r Record) Whole() bool { return bytes.HasSuffix(r.Data, []byte{'\n'}) }

// appendRecord writes r as a line of the file.
func appendRecord(dst []byte, r Record) []byte {
	dst = r.At.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, ' ')
	dst = append(dst, r.Stream...)
	if r.Whole() {
		dst = append(dst, " F "...)
		return append(dst, r.Data...)
	}
	dst = append(dst, " P "...)
	dst = append(dst, r.Data...)
	return append(dst, '\n')
}

// parseRecord reads a line of the file, its newline included. ok is false when
// it is no record: a crash cut it, or somebody else wrote it.
func parseRecord(line []byte) (r Record, ok bool) {
	if !bytes.HasSuffix(line, []byte{'\n'}) {
		return Record{}, false
	}
	fields := bytes.SplitN(line, []byte{' '}, 4)
	if len(fields) != 4 {
		return Record{}, false
	}
	at, err := time.Parse(timeLayout, string(fields[0]))
	if err != nil {
		return Record{}, false
	}
	stream := string(fields[1])
	if stream != Stdout && stream != Stderr {
		return Record{}, false
	}
	switch string(fields[2]) {
	case "F":
		return Record{At: at, Stream: stream, Data: fields[3]}, true
	case "P":
		return Record{At: at, Stream: stream, Data: fields[3][:len(fields[3])-1]}, true
	}
	return Record{}, false
}
