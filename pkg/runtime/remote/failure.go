package remote

import (
	"errors"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// failure is an error as it travels: its text, and what callers look for in it.
type failure struct {
	Text    string                    `json:"text"`
	Code    messages.Code             `json:"code"` // of its class
	Verdict *runtime.RouteToPeerError `json:"verdict,omitzero"`
	Message *messages.Error           `json:"message,omitzero"`
}

// failed is err as it travels; nil for nil.
func failed(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Text: err.Error(), Code: runtime.CodeOf(err)}
	f.Verdict, _ = errors.AsType[*runtime.RouteToPeerError](err)
	f.Message, _ = errors.AsType[*messages.Error](err)
	return f
}

// err is the error that has travelled; nil for nil.
func (f *failure) err() error {
	if f == nil {
		return nil
	}
	e := &farError{text: f.Text, is: []error{runtime.ClassOf(f.Code)}}
	if f.Verdict != nil {
		e.is = append(e.is, f.Verdict)
	}
	if f.Message != nil {
		e.is = append(e.is, f.Message)
	}
	return e
}

// farError is an error of the far end.
type farError struct {
	text string
	is   []error
}

func (e *farError) Error() string { return e.text }

func (e *farError) Unwrap() []error { return e.is }
