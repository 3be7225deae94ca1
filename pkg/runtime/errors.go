package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// RouteToPeerError is the verdict that this node cannot run a container and a
// peer may. It is of class FailedPrecondition, but callers look for the type.
type RouteToPeerError struct {
	Service      string // "" when only an image is pulled
	RequiredOS   messages.OS
	RequiredArch string // "": any
	Code         messages.RefuseCode
	Reason       string
	// Platforms is every platform that would do, when there are several.
	Platforms []messages.Platform
}

// Error is the verdict in one line.
func (e *RouteToPeerError) Error() string {
	service := cmp.Or(e.Service, "it")
	return fmt.Sprintf("route %s to a peer (%s): %s", service, e.Code, e.Reason)
}

// Unwrap gives the verdict its class.
func (e *RouteToPeerError) Unwrap() error { return errdefs.ErrFailedPrecondition }

// classes pairs errdefs' classes with their codes on the wire, the most
// specific first.
var classes = []struct {
	code  messages.Code
	is    func(error) bool
	class error
}{
	{messages.CodeInvalidArgument, errdefs.IsInvalidArgument, errdefs.ErrInvalidArgument},
	{messages.CodeNotFound, errdefs.IsNotFound, errdefs.ErrNotFound},
	{messages.CodeAlreadyExists, errdefs.IsAlreadyExists, errdefs.ErrAlreadyExists},
	{messages.CodePermissionDenied, errdefs.IsPermissionDenied, errdefs.ErrPermissionDenied},
	{messages.CodeResourceExhausted, errdefs.IsResourceExhausted, errdefs.ErrResourceExhausted},
	{messages.CodeFailedPrecondition, errdefs.IsFailedPrecondition, errdefs.ErrFailedPrecondition},
	{messages.CodeConflict, errdefs.IsConflict, errdefs.ErrConflict},
	{messages.CodeNotModified, errdefs.IsNotModified, errdefs.ErrNotModified},
	{messages.CodeAborted, errdefs.IsAborted, errdefs.ErrAborted},
	{messages.CodeOutOfRange, errdefs.IsOutOfRange, errdefs.ErrOutOfRange},
	{messages.CodeNotImplemented, errdefs.IsNotImplemented, errdefs.ErrNotImplemented},
	{messages.CodeUnavailable, errdefs.IsUnavailable, errdefs.ErrUnavailable},
	{messages.CodeDataLoss, errdefs.IsDataLoss, errdefs.ErrDataLoss},
	{messages.CodeUnauthenticated, errdefs.IsUnauthorized, errdefs.ErrUnauthenticated},
	{messages.CodeCanceled, errdefs.IsCanceled, context.Canceled},
	{messages.CodeDeadlineExceeded, errdefs.IsDeadlineExceeded, context.DeadlineExceeded},
	{messages.CodeInternal, errdefs.IsInternal, errdefs.ErrInternal},
}

// CodeOf is the wire's code for err's class.
func CodeOf(err error) messages.Code {
	if e, ok := errors.AsType[*messages.Error](err); ok {
		return e.Code
	}
	for _, c := range classes {
		if c.is(err) {
			return c.code
		}
	}
	return messages.CodeUnknown
}

// Retryable tells whether the same call may succeed later, with nobody having
// changed anything.
func Retryable(err error) bool {
	if e, ok := errors.AsType[*messages.Error](err); ok {
		return e.Retryable
	}
	switch CodeOf(err) {
	case messages.CodeUnavailable, messages.CodeDeadlineExceeded, messages.CodeResourceExhausted, messages.CodeAborted:
		return true
	}
	return false
}

// ToWire is err as it travels; nil for nil.
func ToWire(err error) *messages.Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*messages.Error](err); ok {
		return e
	}
	return &messages.Error{
		Code:      CodeOf(err),
		Message:   messages.TruncateReason(err.Error()),
		Retryable: Retryable(err),
	}
}

// ClassOf is the errdefs class of a code; it is CodeOf the other way round.
func ClassOf(code messages.Code) error {
	for _, c := range classes {
		if c.code == code {
			return c.class
		}
	}
	return errdefs.ErrUnknown
}

// FromWire is an error with the class that travelled; nil for nil.
func FromWire(e *messages.Error) error {
	if e == nil {
		return nil
	}
	return &wireError{wire: e, class: ClassOf(e.Code)}
}

// wireError is a messages.Error that errdefs can class.
type wireError struct {
	wire  *messages.Error
	class error
}

func (e *wireError) Error() string { return e.wire.Error() }

func (e *wireError) Unwrap() []error { return []error{e.wire, e.class} }
