package messages

import (
	"fmt"
	"strings"
)

// imageRule is how errors describe an image reference.
const imageRule = "an image reference such as registry.example/team/web:1.4"

// maxReference bounds a reference: a registry's name, a repository, a tag and a
// digest, each at its own limit.
const maxReference = 1 << 10

// validate checks the arguments of an op that reads them; others are empty by
// then.
func (a *Args) validate(op Op) error {
	if err := a.validateNeeds(op); err != nil {
		return err
	}
	return first(
		checkDuration("timeout", a.Timeout),
		signalOrNone("signal", a.Signal),
		tokenOrNone("new_name", a.NewName),
		checkProgram(a.Cmd, a.Env, a.Workdir, a.User),
		referenceOrNone("copy", a.Copy),
		referenceOrNone("image", a.Image),
		checkPull("policy", a.Policy),
		under("platform", platformOrNone(a.Platform)),
		referenceOrNone("source", a.Source),
		referenceOrNone("target", a.Target),
	)
}

// validateNeeds checks for the arguments an op cannot do without.
func (a *Args) validateNeeds(op Op) error {
	switch op {
	case OpRename:
		return required("new_name", a.NewName, tokenRule)
	case OpExec:
		return checkCommand("cmd", a.Cmd)
	case OpPull, OpRemoveImage:
		return required("image", a.Image, imageRule)
	case OpTag:
		return first(required("source", a.Source, imageRule), required("target", a.Target, imageRule))
	case OpRevoke:
		if a.Attempt == 0 {
			return missing("attempt", "the last attempt to revoke, 1 or more")
		}
	}
	return nil
}

// checkProgram checks what a program inside a container is started with.
func checkProgram(cmd []string, env map[string]string, workdir, user string) error {
	return first(
		each("cmd", cmd, func(s *string) error { return checkNoNUL("", *s) }),
		checkEnv("env", env),
		absoluteOrNone("workdir", workdir, ""),
		checkText("user", user),
	)
}

// checkCommand refuses an empty command and an empty program.
func checkCommand(field string, cmd []string) error {
	if len(cmd) == 0 {
		return missing(field, `a program and its arguments, such as ["ls", "-l"]`)
	}
	return required(field+"[0]", cmd[0], "a program")
}

// checkEnv checks the names of environment variables, and that no value ends
// before it seems to.
func checkEnv(field string, env map[string]string) error {
	return eachKey(field, env, func(name, value string) error {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return invalid("", name, "a name that is not empty and has neither = nor NUL")
		}
		return checkNoNUL("", value)
	})
}

// checkLabels checks names and values of labels.
func checkLabels(field string, labels map[string]string) error {
	const mostName, mostValue = 253, 1 << 10
	return eachKey(field, labels, func(name, value string) error {
		if name == "" || len(name) > mostName || strings.ContainsRune(name, '=') || strings.ContainsFunc(name, isControl) {
			return invalid("", name, fmt.Sprintf("a name of 1 to %d bytes without = and control characters", mostName))
		}
		return first(checkLength("", value, mostValue), checkNoNUL("", value))
	})
}

// referenceOrNone checks the outer form of an image reference: what it means
// is for package image to say. A leading dash is refused, since references end
// up on command lines.
func referenceOrNone(field, ref string) error {
	if ref == "" {
		return nil
	}
	if ref[0] == '-' || strings.ContainsFunc(ref, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return invalid(field, ref, imageRule)
	}
	return checkLength(field, ref, maxReference)
}

func checkPull(field string, p PullPolicy) error {
	return oneOfOrNone(field, p, PullAlways, PullNewer, PullIfNotPresent, PullNever)
}

func platformOrNone(p *Platform) error {
	if p == nil {
		return nil
	}
	return p.Validate()
}
