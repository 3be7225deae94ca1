package messages

import (
	"fmt"
	"strings"
)

// Validate checks the outcome and that it says what its status promises: a
// route_to_peer its route, a rejected its error, a failed how.
func (o *Outcome) Validate() error {
	if err := first(
		checkV(o.V),
		checkNode("node", o.Node),
		oneOf("status", o.Status, Statuses()...),
		o.validateJob(),
		o.validateStatus(),
		under("route_to_peer", o.Route.validate()),
		under("error", o.Error.validate()),
		under("result", o.Result.validate()),
		fingerprintOrNone("fingerprint", o.Fingerprint),
	); err != nil {
		return err
	}
	if o.JobBody == nil {
		return nil
	}
	if o.JobBody.ID != o.Job {
		return disagrees("job_body.id", o.JobBody.ID, "job", o.Job)
	}
	return under("job_body", o.JobBody.Validate())
}

// validateJob checks the job and its op. A rejected says what it was given,
// which is why it was rejected, so its job and op are bounded and no more.
func (o *Outcome) validateJob() error {
	if o.Status == StatusRejected {
		return first(checkReason("job", o.Job), checkReason("op", string(o.Op)))
	}
	return first(CheckToken("job", o.Job), oneOfOrNone("op", o.Op, Ops()...))
}

// validateStatus checks that what the status promises is there.
func (o *Outcome) validateStatus() error {
	if o.Node == PlacerNode && o.Status != StatusRejected {
		return invalid("status", o.Status, "rejected, which is all that a placer says in an outcome")
	}
	switch o.Status {
	case StatusRouteToPeer:
		if o.Route == nil {
			return missing("route_to_peer", "what the job needs and why it is not here")
		}
	case StatusRejected:
		if o.Error == nil {
			return missing("error", "what is wrong with the job")
		}
	case StatusFailed:
		if o.Error == nil && o.Result == nil {
			return missing("error", "an error, or a result with an exit code")
		}
	}
	if o.Route != nil && o.Status != StatusRouteToPeer {
		return invalid("status", o.Status, "route_to_peer when there is a route_to_peer")
	}
	return nil
}

func (r *RouteToPeer) validate() error {
	if r == nil {
		return nil
	}
	return first(
		tokenOrNone("service", r.Service),
		checkOS("required_os", r.RequiredOS),
		checkArch("required_arch", r.RequiredArch),
		oneOf("code", r.Code, RefuseCodes()...),
		checkReason("reason", r.Reason),
		atMost("peers", len(r.Peers), MaxPeersNamed),
		each("peers", r.Peers, func(peer *string) error { return CheckToken("", *peer) }),
		each("platforms", r.Platforms, func(p *Platform) error { return p.Validate() }),
	)
}

// validate checks an error's code and what it says.
func (e *Error) validate() error {
	if e == nil {
		return nil
	}
	return first(oneOf("code", e.Code, Codes()...), checkReason("message", e.Message))
}

func (r *Result) validate() error {
	if r == nil {
		return nil
	}
	return first(
		tokenOrNone("container", r.Container),
		notNegative("restarts", r.Restarts),
		exitReasonOrNone("exit_reason", r.ExitReason),
		each("ports", r.Ports, (*Port).Validate),
		addressOrNone("ip", r.IP),
		digestOrNone("image_digest", r.ImageDigest),
		notNegative("size", r.Size),
		checkLength("stdout", r.Stdout, MaxCapturedBytes),
		checkLength("stderr", r.Stderr, MaxCapturedBytes),
		each("volumes", r.Volumes, func(v *VolumeBytes) error {
			return first(required("name", v.Name, "a volume's name"), notNegative("bytes", v.Bytes), digestOrNone("digest", v.Digest))
		}),
		notNegative("space_reclaimed", r.Reclaimed),
	)
}

func exitReasonOrNone(field string, r ExitReason) error {
	return oneOfOrNone(field, r, ExitExited, ExitSignal, ExitOOMKilled, ExitRuntimeError, ExitTimeout)
}

// digestOrNone checks the form algorithm:hex of a digest that may be left out.
func digestOrNone(field, digest string) error {
	if digest == "" {
		return nil
	}
	algorithm, sum, ok := strings.Cut(digest, ":")
	if !ok || algorithm == "" || len(sum) < 32 || len(digest) > 256 || strings.Trim(sum, "0123456789abcdef") != "" {
		return invalid(field, digest, "a digest such as sha256:<64 hexadecimal digits>")
	}
	return nil
}

// disagrees reports two fields that must say the same and do not.
func disagrees(field, value, other, otherValue string) error {
	return &Error{
		Code:    CodeInvalidArgument,
		Field:   field,
		Message: fmt.Sprintf("%s disagrees with %s, which says %s; want the same in both", quote(value), other, quote(otherValue)),
	}
}
