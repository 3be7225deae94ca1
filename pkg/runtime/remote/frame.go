package remote

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"google.golang.org/grpc/mem"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// mostBytes bounds a message, whose largest are lists.
const mostBytes = 64 << 20

// chunk is how many bytes of a stream are sent at a time.
const chunk = 64 << 10

// message is what is sent.
type message struct {
	Args     []any                 `json:"args,omitzero"`     // of the operation, in their order; in the first message of a call
	Value    any                   `json:"value,omitzero"`    // a result, or one of a sequence
	Error    *failure              `json:"error,omitzero"`    // what came with it
	Progress *runtime.PullProgress `json:"progress,omitzero"` // of a pull
	Answer   bool                  `json:"answer,omitzero"`   // there is no more to say

	Data []byte `json:"-"` // travels behind the JSON, as it is
}

// received is a message that was.
type received struct {
	Args     []json.RawMessage     `json:"args"`
	Value    json.RawMessage       `json:"value"`
	Error    *failure              `json:"error"`
	Progress *runtime.PullProgress `json:"progress"`
	Answer   bool                  `json:"answer"`

	Data []byte `json:"-"`
}

// bare tells whether a message is nothing but bytes.
func (m *message) bare() bool {
	return m.Args == nil && m.Value == nil && m.Error == nil && m.Progress == nil && !m.Answer
}

// decode reads the value, and gives the error that came with it.
func (r *received) decode(value any) error {
	if value != nil && r.Value != nil {
		if err := json.Unmarshal(r.Value, value); err != nil {
			return fmt.Errorf("read what the far end has answered: %w", err)
		}
	}
	return r.Error.err()
}

// codec writes the length of the JSON in four bytes, the JSON, and the bytes.
type codec struct{}

func (codec) Name() string { return "shunt" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*message)
	if !ok {
		return nil, fmt.Errorf("remote: %T is no message", v)
	}
	var text []byte
	if !m.bare() {
		var err error
		if text, err = json.Marshal(m); err != nil {
			return nil, err
		}
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	out := mem.BufferSlice{mem.SliceBuffer(append(head, text...))}
	if len(m.Data) > 0 {
		// A copy, since it is sent after the call has returned.
		out = append(out, mem.Copy(m.Data, mem.DefaultBufferPool()))
	}
	return out, nil
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	r, ok := v.(*received)
	if !ok {
		return fmt.Errorf("remote: %T receives no message", v)
	}
	all := data.Materialize()
	if len(all) < 4 {
		return fmt.Errorf("remote: a message of %d bytes is too short", len(all))
	}
	length, rest := binary.BigEndian.Uint32(all), all[4:]
	if uint64(length) > uint64(len(rest)) {
		return fmt.Errorf("remote: a message says it has %d bytes of JSON, and has %d bytes", length, len(rest))
	}
	*r = received{}
	if length > 0 {
		if err := json.Unmarshal(rest[:length], r); err != nil {
			return fmt.Errorf("remote: a message: %w", err)
		}
	}
	if len(rest) > int(length) {
		r.Data = rest[length:]
	}
	return nil
}
