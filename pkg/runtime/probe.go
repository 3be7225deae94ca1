package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Verdict is what a health check found. Its output is a short text for people,
// at most messages.MaxCheckOutput bytes.
type Verdict struct {
	Healthy bool
	Output  string
}

// CheckOutput is output as a Verdict has room for: its end, where a program
// says what went wrong, as text.
func CheckOutput(output []byte) string {
	if cut := len(output) - messages.MaxCheckOutput; cut > 0 {
		output = output[cut:]
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(output), ""))
}

// errCheckTooLong ends a check that is given no more time.
var errCheckTooLong = errors.New("the check took too long")

// WithinCheck makes a check that may take the time its job gives it; one that
// takes longer has failed. An error is of a check that could not be made.
func WithinCheck(ctx context.Context, check messages.Health, do func(context.Context) (Verdict, error)) (Verdict, error) {
	limit := check.WithDefaults().Timeout.Std()
	within, cancel := context.WithTimeoutCause(ctx, limit, errCheckTooLong)
	defer cancel()
	v, err := do(within)
	if ctx.Err() == nil && within.Err() != nil && (err != nil || !v.Healthy) {
		said := fmt.Sprintf("no answer within %s", limit)
		if v.Output != "" {
			said += ": " + v.Output
		}
		return Verdict{Output: CheckOutput([]byte(said))}, nil
	}
	return v, err
}

// CheckByCommand makes a check of kind command with a runtime's own ExecStream:
// an exit code of 0 is healthy. A program that takes too long is killed. One
// that cannot be run is a check that failed.
func CheckByCommand(ctx context.Context, rt Runner, id ContainerID, check messages.Health) (Verdict, error) {
	return WithinCheck(ctx, check, func(ctx context.Context) (Verdict, error) {
		var output []byte
		for event, err := range rt.ExecStream(ctx, id, ExecOptions{Cmd: check.Command}) {
			switch {
			case errdefs.IsInvalidArgument(err):
				return Verdict{Output: CheckOutput([]byte(err.Error()))}, nil
			case err != nil:
				return Verdict{Output: CheckOutput(output)}, err
			case event.Exit == nil:
				output = append(output, event.Data...)
				if over := len(output) - 2*messages.MaxCheckOutput; over > 0 {
					output = output[over:]
				}
			case *event.Exit != 0:
				said := fmt.Sprintf("exit code %d: %s", *event.Exit, CheckOutput(output))
				return Verdict{Output: strings.TrimSuffix(CheckOutput([]byte(said)), ":")}, nil
			default:
				return Verdict{Healthy: true, Output: CheckOutput(output)}, nil
			}
		}
		return Verdict{}, fmt.Errorf("check %s: the program's end was not told: %w", id, errdefs.ErrUnknown)
	})
}
