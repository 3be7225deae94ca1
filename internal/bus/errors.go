package bus

import (
	"errors"
	"fmt"
)

// Errors that callers tell apart. Adapters wrap them with what went wrong.
var (
	ErrNoResponders = errors.New("nobody answers on that subject")
	ErrNotFound     = errors.New("not found on the bus")
	ErrExists       = errors.New("the key exists")
	ErrConflict     = errors.New("the revision is not the latest")
	ErrFull         = errors.New("the stream is full")
	ErrTooLarge     = errors.New("the message is larger than the bus allows")
	ErrUnavailable  = errors.New("the bus is not reachable")
)

// ConflictError is the ErrConflict of an Append with an expected sequence: the
// subject has another last message. It tells a writer that may not read, such as
// a worker renewing its lease, what to expect instead; that another has written
// there is for the caller to judge.
type ConflictError struct {
	Subject string
	// Last is the sequence of the subject's last message. 0 if there is none,
	// and when the bus does not know: another write on the subject is under way.
	// An Append that expects 0 is safe in both cases.
	Last uint64
}

// Error implements error.
func (e *ConflictError) Error() string {
	if e.Last == 0 {
		return fmt.Sprintf("%v: the last sequence on %s is another, or none", ErrConflict, e.Subject)
	}
	return fmt.Sprintf("%v: the last sequence on %s is %d", ErrConflict, e.Subject, e.Last)
}

// Is makes it an ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }
