package messages

import (
	"fmt"
	"slices"
	"strings"
)

// Validate checks everything about the job that can be known without a node:
// the first fault is an *Error that names the field, its value and what is
// right.
func (j *Job) Validate() error {
	return first(j.validateBut(false), j.validateNeeds())
}

// validateBut checks the fields that are there. Whether what the op needs is
// there is another question, since records are listed without their specs.
func (j *Job) validateBut(specless bool) error {
	if err := first(
		checkV(j.V),
		CheckToken("id", j.ID),
		oneOf("op", j.Op, Ops()...),
		oneOfOrNone("kind", j.Kind, KindTask, KindService),
		tokenOrNone("service", j.Service),
		j.validateKind(),
		j.validateContainer(),
		j.validateArgs(),
	); err != nil {
		return err
	}
	if j.Spec != nil && !specless {
		if err := j.Spec.Validate(); err != nil {
			return under("spec", err)
		}
	}
	return first(
		tokenOrNone("target", j.Target),
		under("requires", j.Requires.Validate()),
		checkDuration("timeout", j.Timeout),
		checkDuration("retain", j.Retain),
		under("policy", j.Policy.Validate()),
		atMost("refused", len(j.Refused), MaxRefused),
		each("refused", j.Refused, (*Refusal).Validate),
		notNegative("refused_dropped", j.RefusedDropped),
	)
}

// validateNeeds checks for what the op cannot do without.
func (j *Job) validateNeeds() error {
	switch opNeeds[j.Op] {
	case needImage:
		if j.Spec == nil {
			return missing("spec", fmt.Sprintf("a container spec with an image; %s needs one", j.Op))
		}
		return under("spec", required("image", j.Spec.Image, imageRule))
	case needTarget:
		return required("target", j.Target, fmt.Sprintf("the node whose images are meant; %s needs one", j.Op))
	case needContainer:
		// A revoke is for the job whose id it carries, known there or not.
		if j.Op == OpRevoke || j.Container != "" || j.Args.Container != "" || j.Service != "" {
			return nil
		}
		return missing("container", fmt.Sprintf("the name of a container, or a service and replica; %s needs one", j.Op))
	}
	return nil
}

// validateKind refuses a kind that the op has no use for.
func (j *Job) validateKind() error {
	if j.Kind != KindService {
		return nil
	}
	if !j.Op.Places() && j.Op != OpStart {
		return invalid("kind", j.Kind, fmt.Sprintf("task, or nothing: %s ends by itself; only run, create and start make a service", j.Op))
	}
	if j.Timeout != 0 {
		return invalid("timeout", j.Timeout, "none for a service, which runs until it is stopped; policy.deadline limits its start")
	}
	return nil
}

// validateContainer checks the name the job makes or works on.
func (j *Job) validateContainer() error {
	if err := first(
		tokenOrNone("container", j.Container),
		tokenOrNone("args.container", j.Args.Container),
	); err != nil {
		return err
	}
	if !j.Op.OnContainer() {
		switch {
		case j.Container != "":
			return notRead("container", j.Op)
		case j.Args.Container != "":
			return notRead("args.container", j.Op)
		}
	}
	if j.Container != "" && j.Args.Container != "" && j.Container != j.Args.Container {
		return invalid("args.container", j.Args.Container, "what the job's own container says, "+quote(j.Container))
	}
	if opNeeds[j.Op] == needTarget || j.Op == OpRevoke {
		return nil
	}
	return j.validateName()
}

// validateName bounds the container's name, which is a token wherever it is asked
// for. The job's id is the part of it that can be shorter only when there is no
// service.
func (j *Job) validateName() error {
	service, name := j.EffectiveService(), j.ContainerName()
	if len(name) <= MaxTokenLength {
		return nil
	}
	most := MaxTokenLength - (len(name) - len(service))
	if j.Service == "" {
		return invalid("id", j.ID, fmt.Sprintf("at most %d characters, or a service of at most that many beside it: the container's name %s would have %d, and %d are allowed",
			most, quote(name), len(name), MaxTokenLength))
	}
	return invalid("service", j.Service, fmt.Sprintf("at most %d characters: the container's name %s would have %d, and %d are allowed",
		most, quote(name), len(name), MaxTokenLength))
}

// validateArgs refuses arguments that the op does not read, and checks those
// that it does.
func (j *Job) validateArgs() error {
	reads := opArgs[j.Op]
	for _, name := range j.Args.given() {
		if !slices.Contains(reads, name) {
			return notRead("args."+name, j.Op)
		}
	}
	return under("args", j.Args.validate(j.Op))
}

// notRead reports an argument that would have been ignored in silence.
func notRead(field string, op Op) error {
	reads := "which reads no arguments"
	if names := opArgs[op]; len(names) > 0 {
		reads = "which reads " + strings.Join(names, ", ")
	}
	return &Error{
		Code:    CodeInvalidArgument,
		Field:   field,
		Message: fmt.Sprintf("is given to %s, %s", op, reads),
	}
}

// Validate checks the labels demanded and preferred.
func (r *Requires) Validate() error {
	return first(checkLabels("labels", r.Labels), checkLabels("prefer", r.Prefer))
}

// Validate checks a refusal as a job remembers it.
func (r *Refusal) Validate() error {
	return first(
		CheckToken("node", r.Node),
		oneOf("code", r.Code, RefuseCodes()...),
		checkReason("reason", r.Reason),
	)
}

// Validate checks the policy's words and numbers.
func (p *Policy) Validate() error {
	return first(
		notNegative("max_attempts", p.MaxAttempts),
		checkDuration("deadline", p.Deadline),
		oneOfOrNone("reroute", p.Reroute, RerouteAuto, RerouteNever),
		oneOfOrNone("on_node_loss", p.OnNodeLoss, LossReschedule, LossWait, LossFail),
		oneOfOrNone("on_partition", p.OnPartition, PartitionKeep, PartitionStop),
		under("backoff", p.Backoff.Validate()),
	)
}

// Validate checks that the bounds are in order.
func (b *Backoff) Validate() error {
	if err := first(checkDuration("min", b.Min), checkDuration("max", b.Max)); err != nil {
		return err
	}
	if b.Max != 0 && b.Min > b.Max {
		return invalid("min", b.Min, "at most max, "+b.Max.String())
	}
	return nil
}
