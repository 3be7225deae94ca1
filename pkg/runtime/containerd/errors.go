//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/grpc/status"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// diskFull is how every part of containerd reports ENOSPC: as text.
const diskFull = "no space left on device"

// native is an error from containerd's API with its errdefs class. A call that
// was given up is the context's error.
func native(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok { // what has its class already would lose it
		err = errgrpc.ToNative(err)
	}
	if errdefs.IsUnknown(err) && strings.HasSuffix(err.Error(), io.EOF.Error()) { // of a stream
		err = fmt.Errorf("the connection to containerd broke: %w: %w", errdefs.ErrUnavailable, err)
	}
	if !errdefs.IsResourceExhausted(err) && strings.Contains(err.Error(), diskFull) {
		err = fmt.Errorf("the disk is full: %w: %w", errdefs.ErrResourceExhausted, err)
	}
	if !errdefs.IsUnavailable(err) && leftDirectory(err) {
		err = fmt.Errorf("containerd was killed while it made a file system, and takes away now what it had left: %w: %w", errdefs.ErrUnavailable, err)
	}
	for _, given := range []error{context.Canceled, context.DeadlineExceeded} {
		if !errors.Is(err, given) && saysOf(err, given) {
			return fmt.Errorf("%w: %w", given, err)
		}
	}
	return err
}

// leftDirectory tells of a snapshot whose directory is there and whose record is
// not: containerd was killed between the two. Making it fails once, and takes the
// directory away.
func leftDirectory(err error) bool {
	return strings.Contains(err.Error(), "failed to rename: rename ") && strings.Contains(err.Error(), ": file exists")
}

// saysOf tells whether an error of containerd's is one of a context. The text
// has to be read: what a shim gave up reaches the client as an error of class
// unknown that says so.
func saysOf(err, given error) bool {
	return errors.Is(errdefs.Resolve(err), given) || errdefs.IsUnknown(err) && strings.HasSuffix(err.Error(), given.Error())
}

// about says which container an error of containerd's is about.
func about(id runtime.ContainerID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("container %s: %w", id, native(err))
}

// registryError gives an error of a pull its class, and names image and
// registry.
func registryError(ref, host string, err error) error {
	if class := registryClass(err); class != nil {
		return fmt.Errorf("image %s: registry %s: %w: %w", ref, host, class, err)
	}
	return fmt.Errorf("image %s: registry %s: %w", ref, host, native(err))
}

// registryClass is the class of an error that has none of its own.
func registryClass(err error) error {
	if answer, ok := errors.AsType[remoteerrors.ErrUnexpectedStatus](err); ok {
		return classOfStatus(answer.StatusCode)
	}
	if errors.Is(err, docker.ErrInvalidAuthorization) {
		return errdefs.ErrUnauthenticated
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errdefs.ErrUnavailable
	}
	return nil
}

func classOfStatus(code int) error {
	switch {
	case code == http.StatusUnauthorized:
		return errdefs.ErrUnauthenticated
	case code == http.StatusForbidden:
		return errdefs.ErrPermissionDenied
	case code == http.StatusNotFound:
		return errdefs.ErrNotFound
	case code == http.StatusTooManyRequests || code >= 500:
		return errdefs.ErrUnavailable
	}
	return errdefs.ErrUnknown
}

// programError gives runc's refusals of a program their class: they are the
// spec's fault, not the runtime's.
func programError(field string, err error) error {
	text := err.Error()
	for _, sign := range []string{"executable file not found", "no such file or directory", "permission denied", "is a directory"} {
		if strings.Contains(text, "exec") && strings.Contains(text, sign) {
			return fmt.Errorf("%s: the program cannot be run: %w: %s", field, errdefs.ErrInvalidArgument, text)
		}
	}
	return native(err)
}

// taskError gives what runc and the shim say of a task that is just ending, or
// was thawed to be killed, its class.
func taskError(err error) error {
	if err = native(err); err == nil || noTask(err) {
		return err
	}
	for _, sign := range []string{"container not running", "not paused", " a stopped ", " a deleted "} {
		if strings.Contains(err.Error(), sign) {
			return fmt.Errorf("it does not run any more: %w: %w", errdefs.ErrFailedPrecondition, err)
		}
	}
	return err
}
