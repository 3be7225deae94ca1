package messages

import (
	"strconv"
	"strings"
)

// Validate checks a heartbeat.
func (c *Capabilities) Validate() error {
	return first(
		checkV(c.V),
		CheckToken("node", c.Node),
		checkIncarnation("incarnation", c.Incarnation),
		checkDuration("interval", c.Interval),
		checkDuration("ttl", c.TTL),
		under("host", c.Host.Validate()),
		each("platforms", c.Platforms, (*RuntimePlatform).Validate),
		under("free", c.Free.Validate()),
		under("total", c.Total.Validate()),
		checkLabels("labels", c.Labels),
		notNegative("containers", c.Containers),
		atMost("images", len(c.Images), MaxImages),
		each("images", c.Images, func(digest *string) error {
			return first(required("", *digest, "a digest"), digestOrNone("", *digest))
		}),
		checkText("xkey", c.XKey),
		checkText("version", c.Version),
	)
}

// Validate checks the machine's figures.
func (h *Host) Validate() error {
	return first(
		Platform{OS: h.OS, Arch: h.Arch, OSVersion: h.OSVersion}.Validate(),
		notNegative("cpus", h.CPUs),
		notNegative("memory", h.Memory),
	)
}

// Validate checks a platform as an offer, where an unknown system offers
// nothing.
func (p *RuntimePlatform) Validate() error {
	return first(
		required("os", string(p.OS), "linux, windows or darwin"),
		required("arch", p.Arch, "an architecture such as amd64 or arm64"),
		p.Platform.Validate(),
		CheckToken("runtime", p.Runtime),
	)
}

// Validate checks that no amount is negative.
func (r *Room) Validate() error {
	return first(
		notNegative("cpu_milli", r.CPUMilli),
		notNegative("memory", r.Memory),
		notNegative("pids", r.PIDs),
		notNegative("gpu", r.GPU),
	)
}

// Validate checks a placer's heartbeat.
func (b *PlacerBeat) Validate() error { return first(checkV(b.V), CheckToken("id", b.ID)) }

// Validate checks a lease.
func (l *Lease) Validate() error {
	if err := first(checkV(l.V), CheckToken("node", l.Node), checkDuration("ttl", l.TTL)); err != nil {
		return err
	}
	if l.Incarnation != "" {
		return first(checkIncarnation("incarnation", l.Incarnation), tokenOrNone("lost_by", l.LostBy))
	}
	return tokenOrNone("lost_by", l.LostBy)
}

// Validate checks an event.
func (e *Event) Validate() error {
	return first(
		checkV(e.V),
		checkNode("node", e.Node),
		oneOf("kind", e.Kind, EventKinds()...),
		tokenOrNone("job", e.Job),
		tokenOrNone("container", e.Container),
		checkReason("message", e.Message),
	)
}

// checkIncarnation checks the form <journal id>.<n>.
func checkIncarnation(field, incarnation string) error {
	const want = "<journal id>.<n>, such as 4f1c2a.3"
	if incarnation == "" {
		return missing(field, want)
	}
	if _, _, ok := ParseIncarnation(incarnation); !ok {
		return invalid(field, incarnation, want)
	}
	return nil
}

// Incarnation is how a worker's run is written: the id of its journal, and how
// often that journal has been opened.
func Incarnation(journal string, n uint64) string { return journal + "." + strconv.FormatUint(n, 10) }

// ParseIncarnation is the inverse of Incarnation; ok is false for another
// form.
func ParseIncarnation(s string) (journal string, n uint64, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 || !ValidToken(s[:i]) {
		return "", 0, false
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 64)
	if err != nil || Incarnation(s[:i], n) != s {
		return "", 0, false
	}
	return s[:i], n, true
}
