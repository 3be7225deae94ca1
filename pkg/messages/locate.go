package messages

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// locate finds the first value in data that does not fit the Go type t, and
// says where it is and what would fit. encoding/json forgets the index of a
// list, the key of a map, and the whole path when a type reads itself, so this
// walks a second time; only messages that are refused pay for it. It is nil
// when everything fits.
func locate(t reflect.Type, data []byte) *Error {
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	if p := reflect.PointerTo(t); p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return misfit(t, data)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return locate(t.Elem(), data)
	case reflect.Struct:
		return locateField(t, data)
	case reflect.Slice:
		return locateElement(t, data)
	case reflect.Map:
		return locateEntry(t, data)
	}
	return misfit(t, data)
}

func locateField(t reflect.Type, data []byte) *Error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return misfit(t, data)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			if fault := locateField(f.Type, data); fault != nil {
				return fault
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		for key, raw := range fields {
			if !strings.EqualFold(key, name) { // as encoding/json matches them
				continue
			}
			if fault := locate(f.Type, raw); fault != nil {
				return within(name, fault)
			}
		}
	}
	return nil
}

func locateElement(t reflect.Type, data []byte) *Error {
	var elements []json.RawMessage
	if json.Unmarshal(data, &elements) != nil {
		return misfit(t, data)
	}
	for i, raw := range elements {
		if fault := locate(t.Elem(), raw); fault != nil {
			return within("["+strconv.Itoa(i)+"]", fault)
		}
	}
	return nil
}

func locateEntry(t reflect.Type, data []byte) *Error {
	var entries map[string]json.RawMessage
	if json.Unmarshal(data, &entries) != nil {
		return misfit(t, data)
	}
	keys := make([]string, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if fault := locate(t.Elem(), entries[key]); fault != nil {
			return within("["+quote(key)+"]", fault)
		}
	}
	return nil
}

// misfit tries one value on its type. A type that reads itself words its own
// error; for the others the type says what is wanted.
func misfit(t reflect.Type, data []byte) *Error {
	err := json.Unmarshal(data, reflect.New(t).Interface())
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	return &Error{Code: CodeMalformed, Message: fmt.Sprintf("%s is of the wrong type; want %s", clip(string(data)), wantOf(t))}
}

// wantOf says in JSON's words what a type takes.
func wantOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("a whole number of at most %d bits", t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number from 0 to %d", uint64(1)<<(t.Bits()-1)-1+uint64(1)<<(t.Bits()-1))
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Map:
		return "an object"
	case reflect.Struct:
		if t.PkgPath() == "time" {
			return "an instant in RFC 3339, such as \"2026-01-02T15:04:05.999999999Z\""
		}
		return "an object"
	}
	return "a string"
}

// within puts a parent's path in front of a fault's.
func within(parent string, fault *Error) *Error {
	nested, _ := errors.AsType[*Error](under(parent, fault))
	return nested
}
