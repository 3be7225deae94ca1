package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// explain gives what went wrong between the node and a registry its class, and
// names the image and the registry. The cause's text is kept, its chain is not:
// a time-out inside a read must not look like the caller's own.
func (q *question) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if own := ctx.Err(); own != nil {
		return fmt.Errorf("image %s: %w", q.ref, own)
	}
	text, class := classify(err)
	return fmt.Errorf("image %s: registry %s: %s: %w", q.ref, q.host, messages.TruncateReason(text), class)
}

// classify is what to say of an error, and its class.
func classify(err error) (text string, class error) {
	if own, ok := errors.AsType[*contentError](err); ok {
		return own.text, own.class
	}
	if answer, ok := errors.AsType[*transport.Error](err); ok {
		return err.Error(), classOfStatus(answer.StatusCode)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "did not answer in time", errdefs.ErrUnavailable
	}
	if errors.Is(err, errdefs.ErrFailedPrecondition) {
		return err.Error(), errdefs.ErrFailedPrecondition
	}
	if isNetwork(err) {
		return err.Error(), errdefs.ErrUnavailable
	}
	return "its answer cannot be used: " + err.Error(), errdefs.ErrDataLoss
}

func classOfStatus(status int) error {
	switch {
	case status == http.StatusUnauthorized:
		return errdefs.ErrUnauthenticated
	case status == http.StatusForbidden:
		return errdefs.ErrPermissionDenied
	case status == http.StatusNotFound, status == http.StatusGone:
		return errdefs.ErrNotFound
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500, status == 499:
		return errdefs.ErrUnavailable
	case status == http.StatusBadRequest:
		return errdefs.ErrInvalidArgument
	}
	return errdefs.ErrUnknown
}

func isNetwork(err error) bool {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return true
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// contentError is what is wrong with an image itself.
type contentError struct {
	class error
	text  string
}

func (e *contentError) Error() string { return e.text + ": " + e.class.Error() }
func (e *contentError) Unwrap() error { return e.class }

// notImage says that a reference names something that no node can run.
func notImage(format string, args ...any) error {
	return &contentError{errdefs.ErrFailedPrecondition, fmt.Sprintf(format, args...)}
}

// broken says that content is not what it has to be.
func broken(format string, args ...any) error {
	return &contentError{errdefs.ErrDataLoss, fmt.Sprintf(format, args...)}
}
