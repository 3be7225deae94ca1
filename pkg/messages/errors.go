package messages

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Code is the class of an error on the wire: the classes of containerd's
// errdefs in snake case, and the six that are the contract's own.
type Code string

// The codes. The first group are errdefs' classes; package runtime maps them
// to and from Go errors.
const (
	CodeUnknown            Code = "unknown"
	CodeInvalidArgument    Code = "invalid_argument"
	CodeNotFound           Code = "not_found"
	CodeAlreadyExists      Code = "already_exists"
	CodePermissionDenied   Code = "permission_denied"
	CodeResourceExhausted  Code = "resource_exhausted"
	CodeFailedPrecondition Code = "failed_precondition"
	CodeConflict           Code = "conflict"
	CodeNotModified        Code = "not_modified"
	CodeAborted            Code = "aborted"
	CodeOutOfRange         Code = "out_of_range"
	CodeNotImplemented     Code = "not_implemented"
	CodeInternal           Code = "internal"
	CodeUnavailable        Code = "unavailable"
	CodeDataLoss           Code = "data_loss"
	CodeUnauthenticated    Code = "unauthenticated"
	CodeCanceled           Code = "canceled"
	CodeDeadlineExceeded   Code = "deadline_exceeded"

	CodeUnsupportedVersion Code = "unsupported_version" // v is not one this build speaks
	CodeIDConflict         Code = "id_conflict"         // the id belongs to another job
	CodeTooLarge           Code = "too_large"           // the message is over its limit
	CodeMalformed          Code = "malformed"           // not JSON, or JSON of another shape
	CodeExpired            Code = "expired"             // the job is older than a day and unknown
	CodeWrongIncarnation   Code = "wrong_incarnation"   // meant for another journal of that node
)

// Codes lists every code, in the order above.
func Codes() []Code {
	return []Code{
		CodeUnknown, CodeInvalidArgument, CodeNotFound, CodeAlreadyExists, CodePermissionDenied,
		CodeResourceExhausted, CodeFailedPrecondition, CodeConflict, CodeNotModified, CodeAborted,
		CodeOutOfRange, CodeNotImplemented, CodeInternal, CodeUnavailable, CodeDataLoss,
		CodeUnauthenticated, CodeCanceled, CodeDeadlineExceeded,
		CodeUnsupportedVersion, CodeIDConflict, CodeTooLarge, CodeMalformed, CodeExpired, CodeWrongIncarnation,
	}
}

// Error is an error as it travels: in an Outcome, and in the headers of a
// verb's reply. It is a Go error too.
type Error struct {
	Code      Code   `json:"code"`
	Message   string `json:"message"`
	Field     string `json:"field,omitzero"`     // path of the field at fault, as "spec.image"
	Retryable bool   `json:"retryable,omitzero"` // the same request may succeed later
}

// Error is "code: message", with the field in front of the message if known.
func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s: %s", e.Code, e.Field, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// AsError finds the *Error in err's chain; any other error becomes one of code
// "unknown" with err's text. It is nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeUnknown, Message: TruncateReason(err.Error())}
}

// invalid reports a field whose value is not allowed. want says what is.
func invalid(field string, value any, want string) error {
	return &Error{
		Code:    CodeInvalidArgument,
		Field:   field,
		Message: fmt.Sprintf("%s is not allowed; want %s", quote(value), want),
	}
}

// missing reports a required field that is not there.
func missing(field, want string) error {
	return &Error{Code: CodeInvalidArgument, Field: field, Message: "is missing; want " + want}
}

// under puts a parent's path in front of the field of err, so that nested
// Validate methods need not know where they stand.
func under(parent string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	nested := *e
	switch {
	case nested.Field == "":
		nested.Field = parent
	case nested.Field[0] == '[':
		nested.Field = parent + nested.Field
	default:
		nested.Field = parent + "." + nested.Field
	}
	return &nested
}

// quote shows a value in an error without letting a hostile one fill it.
func quote(value any) string { return strconv.Quote(clip(fmt.Sprint(value))) }

// clip cuts what an error shows of a value to a length that people read.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
