// Package policy decides what containers may do on a node beyond running: which
// of its paths they may mount, which devices and powers they may have. It is
// the node's own word, given in a file (worker --policy FILE) or by default, and
// it is asked when the node is offered a job.
//
// It is pure: it reads no file system and resolves no link. Paths are compared as
// they are written, once they are cleaned; what keeps that honest is that a
// runtime follows no link in the source of a bind mount.
package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Policy is what containers may do. The zero Policy allows nothing; Default is
// what holds without a file.
type Policy struct {
	Bind        []Path   // directories and files of the node, with what is below them
	Devices     []string // patterns of device files
	Privileged  bool
	CapAdd      []string // capabilities without CAP_; ALL: any
	HostNetwork bool
	Sysctls     []string // patterns of kernel parameters
}

// Path is a path that bind mounts may use.
type Path struct {
	Path   string
	Access Access
}

// Access is how a path may be used.
type Access string

// The kinds of access.
const (
	ReadOnly  Access = "ro"
	ReadWrite Access = "rw"
)

// Default is the policy without a file. What reaches the node's files and
// devices is denied; what stays within the container's own namespaces, and its
// network, is allowed.
func Default() *Policy {
	return &Policy{CapAdd: []string{anyCapability}, HostNetwork: true, Sysctls: []string{"*"}}
}

// anyCapability stands for all of them.
const anyCapability = "ALL"

// Refuse says why a container is not allowed here: the field, its value, and what
// is allowed. ok is true when it is allowed.
func (p *Policy) Refuse(spec *messages.Spec) (reason string, ok bool) {
	for _, check := range []func(*messages.Spec) string{
		p.privileged, p.binds, p.devices, p.capabilities, p.network, p.sysctls,
	} {
		if reason := check(spec); reason != "" {
			return reason, false
		}
	}
	return "", true
}

// refusal words a reason.
func refusal(field, value, allowed string) string {
	return fmt.Sprintf("spec.%s: this node's policy does not allow %s; it allows %s", field, value, allowed)
}

func (p *Policy) privileged(spec *messages.Spec) string {
	if spec.Privileged && !p.Privileged {
		return refusal("privileged", "true", "false only")
	}
	return ""
}

func (p *Policy) binds(spec *messages.Spec) string {
	for i, m := range spec.Mounts {
		if m.Type != messages.MountBind {
			continue
		}
		how := ReadWrite
		if m.ReadOnly {
			how = ReadOnly
		}
		if !p.mayBind(m.Source, how) {
			return refusal(fmt.Sprintf("mounts[%d].source", i), fmt.Sprintf("%s (%s)", m.Source, how), p.bindText())
		}
	}
	return ""
}

func (p *Policy) mayBind(source string, how Access) bool {
	at := cleanPath(source)
	return slices.ContainsFunc(p.Bind, func(allowed Path) bool {
		return within(at, cleanPath(allowed.Path)) && (how == ReadOnly || allowed.Access == ReadWrite)
	})
}

// devices are looked at only where the container is not given all of them.
func (p *Policy) devices(spec *messages.Spec) string {
	if spec.Privileged {
		return ""
	}
	for i, device := range spec.Devices {
		host, _, _ := strings.Cut(device, ":")
		if !matchesAny(p.Devices, host) {
			return refusal(fmt.Sprintf("devices[%d]", i), host, list(p.Devices))
		}
	}
	return ""
}

func (p *Policy) capabilities(spec *messages.Spec) string {
	if slices.Contains(p.CapAdd, anyCapability) || spec.Privileged {
		return ""
	}
	for i, name := range spec.CapAdd {
		if !slices.Contains(p.CapAdd, capability(name)) {
			return refusal(fmt.Sprintf("cap_add[%d]", i), name, list(p.CapAdd))
		}
	}
	return ""
}

// capability is a capability's name as a policy has it.
func capability(name string) string { return strings.TrimPrefix(strings.ToUpper(name), "CAP_") }

func (p *Policy) network(spec *messages.Spec) string {
	if spec.Network == "host" && !p.HostNetwork {
		return refusal("network", "host", "every other network")
	}
	return ""
}

func (p *Policy) sysctls(spec *messages.Spec) string {
	for _, name := range slices.Sorted(maps.Keys(spec.Sysctls)) {
		if !matchesAny(p.Sysctls, strings.ReplaceAll(name, "/", ".")) {
			return refusal("sysctls", name, list(p.Sysctls))
		}
	}
	return ""
}

// Describe is the policy for people, one entry for each field.
func (p *Policy) Describe() map[string]string {
	return map[string]string{
		"bind":         p.bindText(),
		"devices":      list(p.Devices),
		"privileged":   fmt.Sprint(p.Privileged),
		"cap_add":      list(p.CapAdd),
		"host_network": fmt.Sprint(p.HostNetwork),
		"sysctls":      list(p.Sysctls),
	}
}

func (p *Policy) bindText() string {
	words := make([]string, len(p.Bind))
	for i, b := range p.Bind {
		words[i] = fmt.Sprintf("%s (%s)", b.Path, b.Access)
	}
	return list(words)
}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
