package messages

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
)

// Validate checks the spec but for its image, which not every op needs.
func (s *Spec) Validate() error {
	return first(
		referenceOrNone("image", s.Image),
		checkPull("pull", s.Pull),
		under("platform", platformOrNone(s.Platform)),
		oneOfOrNone("isolation", s.Isolation, IsolationAuto, IsolationProcess, IsolationHyperV),
		s.validateProcess(),
		under("resources", s.Resources.Validate()),
		each("ports", s.Ports, (*Port).Validate),
		s.validatePortsDiffer(),
		s.validateMounts(),
		s.validateNetwork(),
		s.validateLife(),
		s.validateLinux(),
		checkLabels("labels", s.Labels),
		under("registry_auth", s.RegistryAuth.validate()),
	)
}

// os is the system the spec demands; empty when it demands none.
func (s *Spec) os() OS {
	if s.Platform == nil {
		return ""
	}
	return s.Platform.OS
}

func (s *Spec) validateProcess() error {
	noNUL := func(arg *string) error { return checkNoNUL("", *arg) }
	return first(
		each("entrypoint", s.Entrypoint, noNUL),
		each("args", s.Args, noNUL),
		checkEnv("env", s.Env),
		absoluteOrNone("workdir", s.Workdir, s.os()),
		checkText("user", s.User),
		each("groups", s.Groups, func(g *string) error {
			return first(required("", *g, "a group's name or number"), checkText("", *g))
		}),
	)
}

func (s *Spec) validateLife() error {
	return first(
		under("restart", s.Restart.validate()),
		under("health", s.Health.Validate()),
		signalOrNone("stop_signal", s.StopSignal),
		checkDuration("stop_grace", s.StopGrace),
	)
}

// Validate checks amounts and the list of processors.
func (r *Resources) Validate() error {
	return first(
		notNegative("cpu_milli", r.CPUMilli),
		notNegative("memory", r.Memory),
		notNegative("pids", r.PIDs),
		notNegative("gpu", r.GPU),
		checkCPUSet("cpuset", r.CPUSet),
	)
}

func (r *Restart) validate() error {
	if r == nil {
		return nil
	}
	return first(
		oneOf("policy", r.Policy, RestartNo, RestartAlways, RestartUnlessStopped, RestartOnFailure),
		notNegative("max", r.Max),
		checkDuration("delay", r.Delay),
	)
}

// Validate checks that there is exactly one check, and what it needs. No Health
// at all is right.
func (h *Health) Validate() error {
	if h == nil {
		return nil
	}
	var kinds []string
	if h.HTTP != nil {
		kinds = append(kinds, "http")
	}
	if h.TCP != nil {
		kinds = append(kinds, "tcp")
	}
	if h.Command != nil {
		kinds = append(kinds, "command")
	}
	switch len(kinds) {
	case 0:
		return missing("", "exactly one of http, tcp and command")
	case 1:
	default:
		return invalid("", strings.Join(kinds, " and "), "exactly one of http, tcp and command")
	}
	return first(h.validateCheck(),
		checkDuration("interval", h.Interval),
		checkDuration("timeout", h.Timeout),
		notNegative("retries", h.Retries),
		checkDuration("start_grace", h.StartGrace),
	)
}

func (h *Health) validateCheck() error {
	switch {
	case h.HTTP != nil:
		path := h.HTTP.Path
		if path != "" && (path[0] != '/' || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f })) {
			return invalid("http.path", path, "a path such as /healthz, without blanks")
		}
		return checkPort("http.port", h.HTTP.Port)
	case h.TCP != nil:
		return checkPort("tcp.port", h.TCP.Port)
	}
	return first(checkCommand("command", h.Command),
		each("command", h.Command, func(arg *string) error { return checkNoNUL("", *arg) }))
}

func checkPort(field string, port uint16) error {
	if port == 0 {
		return missing(field, "a port from 1 to 65535")
	}
	return nil
}

// Validate checks a published port.
func (p *Port) Validate() error {
	return first(
		checkPort("container", p.Container),
		oneOfOrNone("protocol", p.Protocol, "tcp", "udp"),
		addressOrNone("host_ip", p.HostIP),
	)
}

func addressOrNone(field, address string) error {
	if address == "" {
		return nil
	}
	if _, err := netip.ParseAddr(address); err != nil {
		return invalid(field, address, "an IP address, such as 127.0.0.1 or ::1")
	}
	return nil
}

// validatePortsDiffer refuses to publish two ports in one place.
func (s *Spec) validatePortsDiffer() error {
	type place struct {
		host     uint16
		protocol string
		ip       string
	}
	taken := make(map[place]int, len(s.Ports))
	for i, p := range s.Ports {
		if p.Host == 0 {
			continue
		}
		at := place{p.Host, p.Protocol, p.HostIP}
		if at.protocol == "" {
			at.protocol = "tcp"
		}
		if before, ok := taken[at]; ok {
			return invalid(fmt.Sprintf("ports[%d].host", i), p.Host, fmt.Sprintf("another port than ports[%d], or 0 for one that is free", before))
		}
		taken[at] = i
	}
	return nil
}

// validate checks that the box is there and is base64; what is in it only its
// addressee can tell.
func (s *SealedAuth) validate() error {
	if s == nil {
		return nil
	}
	if s.Sealed == "" {
		return missing("sealed", "a box for the placers' xkey, in base64")
	}
	if _, err := base64.StdEncoding.DecodeString(s.Sealed); err != nil {
		// The value is not shown: it may be a secret that was put here plainly.
		return &Error{Code: CodeInvalidArgument, Field: "sealed", Message: "is not base64; want a box for the placers' xkey"}
	}
	return nil
}
