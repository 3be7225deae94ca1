package registrytest

import (
	"fmt"
	"strings"
	"testing"
)

// Hosts is a directory of hosts.toml files.
type Hosts struct {
	Dir string
	t   testing.TB
}

// NewHosts makes an empty one.
func NewHosts(t testing.TB) *Hosts {
	t.Helper()
	return &Hosts{Dir: t.TempDir(), t: t}
}

// Trust has registries reached by TLS under their authorities.
func (h *Hosts) Trust(registries ...*Registry) *Hosts {
	h.t.Helper()
	for _, r := range registries {
		h.Mirror(r.Addr, r)
	}
	return h
}

// Mirror has a registry, such as docker.io, reached at the last of the places
// given, and before that at the others.
func (h *Hosts) Mirror(registry string, places ...*Registry) *Hosts {
	h.t.Helper()
	dir := registry
	if i := strings.LastIndex(registry, ":"); i > 0 {
		dir = registry[:i] + "_" + registry[i+1:] + "_"
	}
	var text strings.Builder
	last := places[len(places)-1]
	fmt.Fprintf(&text, "server = \"https://%s\"\nca = \"%s.crt\"\n", last.Addr, last.Addr)
	for _, p := range places {
		write(h.t, h.Dir, dir+"/"+p.Addr+".crt", p.Authority.PEM)
		if p != last {
			fmt.Fprintf(&text, "[host.\"https://%s\"]\n  ca = \"%s.crt\"\n", p.Addr, p.Addr)
		}
	}
	write(h.t, h.Dir, dir+"/hosts.toml", []byte(text.String()))
	return h
}
