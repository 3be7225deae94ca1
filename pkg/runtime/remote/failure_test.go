package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// travels is an error after its way through the pipe.
func travels(t *testing.T, err error) error {
	t.Helper()
	data, e := json.Marshal(message{Error: failed(err)})
	if e != nil {
		t.Fatal(e)
	}
	var m received
	if e := json.Unmarshal(data, &m); e != nil {
		t.Fatal(e)
	}
	return m.decode(nil)
}

// An error keeps its text, and what callers ask it for.
func TestErrorsTravel(t *testing.T) {
	if err := travels(t, nil); err != nil {
		t.Errorf("no error has become %v", err)
	}
	for _, class := range []error{
		errdefs.ErrInvalidArgument, errdefs.ErrNotFound, errdefs.ErrAlreadyExists, errdefs.ErrPermissionDenied,
		errdefs.ErrResourceExhausted, errdefs.ErrFailedPrecondition, errdefs.ErrConflict, errdefs.ErrNotModified,
		errdefs.ErrAborted, errdefs.ErrOutOfRange, errdefs.ErrNotImplemented, errdefs.ErrUnavailable, errdefs.ErrDataLoss,
		errdefs.ErrUnauthenticated, errdefs.ErrInternal, errdefs.ErrUnknown, context.Canceled, context.DeadlineExceeded,
	} {
		before := fmt.Errorf("container web-rep-0: %w", class)
		after := travels(t, before)
		if after.Error() != before.Error() || !errors.Is(after, class) || runtime.CodeOf(after) != runtime.CodeOf(before) || runtime.Retryable(after) != runtime.Retryable(before) {
			t.Errorf("%v became %v of class %s", before, after, runtime.CodeOf(after))
		}
		if _, ok := errors.AsType[*messages.Error](after); ok {
			t.Errorf("%v has become a message's error", before)
		}
	}
}

func TestVerdictsTravel(t *testing.T) {
	verdict := &runtime.RouteToPeerError{
		Service: "web", RequiredOS: messages.Windows, RequiredArch: "amd64", Code: messages.RefuseOSVersion, Reason: "not this build",
		Platforms: []messages.Platform{{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348"}},
	}
	after := travels(t, fmt.Errorf("create: %w", verdict))
	got, ok := errors.AsType[*runtime.RouteToPeerError](after)
	if !ok || !reflect.DeepEqual(got, verdict) || !errdefs.IsFailedPrecondition(after) {
		t.Errorf("the verdict became %+v in %v", got, after)
	}
	wire := &messages.Error{Code: messages.CodeInvalidArgument, Message: "is bad", Field: "spec.image", Retryable: true}
	after = travels(t, fmt.Errorf("create: %w", wire))
	if e, ok := errors.AsType[*messages.Error](after); !ok || !reflect.DeepEqual(e, wire) || !errdefs.IsInvalidArgument(after) {
		t.Errorf("the message's error became %+v in %v", e, after)
	}
}
