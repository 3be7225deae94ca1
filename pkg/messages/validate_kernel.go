package messages

import (
	"slices"
	"strconv"
	"strings"
)

// rlimits are the limits a process has on Linux.
var rlimits = []string{
	"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice",
	"nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
}

// validateLinux checks what is handed to the kernel; Windows has no use for
// most of it, and its runtime says so.
func (s *Spec) validateLinux() error {
	return first(
		each("cap_add", s.CapAdd, checkCapability),
		each("cap_drop", s.CapDrop, checkCapability),
		each("devices", s.Devices, func(d *string) error { return checkDevice(*d, s.os()) }),
		eachKey("sysctls", s.Sysctls, checkSysctl),
		eachKey("ulimits", s.Ulimits, checkUlimit),
	)
}

func checkCapability(name *string) error {
	ok := *name != "" && !strings.ContainsFunc(*name, func(r rune) bool { return (r < 'A' || r > 'Z') && r != '_' })
	if !ok {
		return invalid("", *name, "a capability such as NET_ADMIN or CAP_NET_ADMIN, or ALL")
	}
	return nil
}

// checkDevice reads /dev/x[:/dev/y[:rwm]] and, unless the spec is for Linux,
// Windows' class/<guid>.
func checkDevice(device string, os OS) error {
	const want = "a device such as /dev/fuse, /dev/sda:/dev/xvda or /dev/sda:/dev/xvda:rwm"
	if class, ok := strings.CutPrefix(device, "class/"); ok && class != "" && os != Linux {
		return checkText("", device)
	}
	parts := strings.Split(device, ":")
	if len(parts) > 3 || strings.ContainsFunc(device, isControl) {
		return invalid("", device, want)
	}
	if len(parts) == 3 {
		access := parts[2]
		if access == "" || strings.Trim(access, "rwm") != "" {
			return invalid("", device, want)
		}
		parts = parts[:2]
	}
	for _, path := range parts {
		if !isUnixPath(path) || climbs(path) {
			return invalid("", device, want)
		}
	}
	return nil
}

func checkSysctl(name, value string) error {
	ok := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !isAlphanumeric(r) && !strings.ContainsRune("._-/", r)
	})
	if !ok || strings.Contains(name, "..") || name[0] == '/' {
		return invalid("", name, "a kernel parameter such as net.core.somaxconn")
	}
	return checkText("", value)
}

func checkUlimit(name string, u Ulimit) error {
	if !slices.Contains(rlimits, name) {
		return invalid("", name, "one of "+strings.Join(rlimits, ", "))
	}
	if err := first(checkLimit("soft", u.Soft), checkLimit("hard", u.Hard)); err != nil {
		return err
	}
	if u.Hard != unlimited && (u.Soft > u.Hard || u.Soft == unlimited) {
		return invalid("soft", u.Soft, "at most hard, "+strconv.FormatInt(u.Hard, 10))
	}
	return nil
}

// unlimited is the limit that is none.
const unlimited = -1

func checkLimit(field string, n int64) error {
	if n < unlimited {
		return invalid(field, n, "a number of 0 or more, or -1 for no limit")
	}
	return nil
}

// checkCPUSet reads the kernel's list format: 0-3,8.
func checkCPUSet(field, set string) error {
	if set == "" {
		return nil
	}
	for part := range strings.SplitSeq(set, ",") {
		low, high, isRange := strings.Cut(part, "-")
		from, ok := parseCPU(low)
		to := from
		if isRange {
			var okHigh bool
			to, okHigh = parseCPU(high)
			ok = ok && okHigh
		}
		if !ok || from > to {
			return invalid(field, set, "a list of processors such as 0-3,8")
		}
	}
	return nil
}

func parseCPU(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return n, err == nil && strconv.FormatUint(n, 10) == s
}
