package messages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Validator is a message that can check itself. Validate answers with an
// *Error naming the first field that is wrong.
type Validator interface{ Validate() error }

// message is a pointer to a T that validates itself.
type message[T any] interface {
	*T
	Validator
}

// Decode reads a message: its size, encoding, version, types and fields are
// checked in that order, and the first fault is answered as an *Error. With an
// error comes what was read before the fault, so that the answer can name the
// job if its id was; nothing else may be made of it.
func Decode[T any, P message[T]](data []byte) (T, error) {
	var m T
	err := decode(data, limitOf[T](), &m)
	if err == nil {
		err = P(&m).Validate()
	}
	return m, err
}

// limitOf is how many bytes an encoded T may have.
func limitOf[T any]() int {
	if _, isJob := any((*T)(nil)).(*Job); isJob {
		return MaxJobSize
	}
	return MaxMessageSize
}

// DecodeRequest is Decode for the body of a request, where an empty one means
// {"v": 1}.
func DecodeRequest[T any, P message[T]](data []byte) (T, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		data = []byte(`{"v":1}`)
	}
	return Decode[T, P](data)
}

// DecodeBare is Decode for the two messages that carry no version of their own,
// since they are part of something that does: NameClaim and ExecSession.
func DecodeBare[T any, P message[T]](data []byte) (T, error) {
	var m T
	err := checkEncoding(data, MaxMessageSize)
	if err == nil {
		err = unmarshal(data, &m)
	}
	if err == nil {
		err = P(&m).Validate()
	}
	return m, err
}

// Encode writes a message. It fails only for values that Validate refuses.
func Encode(m any) ([]byte, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", m, err)
	}
	return data, nil
}

func decode(data []byte, limit int, into any) error {
	if err := checkEncoding(data, limit); err != nil {
		return err
	}
	if !bytes.HasPrefix(data, versionFirst) {
		if err := checkVersion(data); err != nil {
			return err
		}
	}
	return unmarshal(data, into)
}

// versionFirst is how messages begin that Encode wrote. What begins like this is
// not read once more for its version alone; should it say another one further
// down, that is what Validate sees.
var versionFirst = []byte(`{"v":1,`)

// checkEncoding bounds a message before anything reads it.
func checkEncoding(data []byte, limit int) error {
	if len(data) > limit {
		return &Error{Code: CodeTooLarge, Message: fmt.Sprintf("the message has %d bytes; at most %d are allowed", len(data), limit)}
	}
	if !utf8.Valid(data) {
		return &Error{Code: CodeMalformed, Message: "the message is not UTF-8"}
	}
	return nil
}

// unmarshal is json.Unmarshal with errors that name the field at fault.
func unmarshal(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	if err == nil {
		return nil
	}
	if fault := locate(reflect.TypeOf(into).Elem(), data); fault != nil {
		return fault
	}
	return asMalformed(err)
}

// checkVersion comes before the fields, since those of another version may have
// other types.
func checkVersion(data []byte) error {
	var head struct {
		V json.RawMessage `json:"v"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return &Error{Code: CodeMalformed, Message: "the message is JSON, but not an object; want {\"v\": 1, …}"}
		}
		return asMalformed(err)
	}
	if head.V == nil {
		return &Error{Code: CodeUnsupportedVersion, Field: "v", Message: "is missing; want 1"}
	}
	if string(head.V) != "1" {
		return &Error{Code: CodeUnsupportedVersion, Field: "v", Message: clip(string(head.V)) + " is not a version this build speaks; want 1"}
	}
	return nil
}

// asMalformed words a fault that is not a field's.
func asMalformed(err error) error {
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &Error{Code: CodeMalformed, Message: fmt.Sprintf("not JSON: %s at byte %d", s.Error(), s.Offset)}
	}
	return &Error{Code: CodeMalformed, Message: strings.TrimPrefix(err.Error(), "json: ")}
}
