package deployment

import (
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// whereItRuns are the fields that tie a container to nodes, networks and disks.
func (r *reader) whereItRuns(s *service) fields {
	spec := s.job.Spec
	network := s.reads("spec.network", func(v value) { spec.Network = r.text(v) })
	return fields{
		"scale":         func(v value) { r.scale(s, v) },
		"node_selector": s.reads("requires", func(v value) { r.selector(s, v) }),
		"endpoints":     s.reads("spec.ports", func(v value) { r.each(v, "endpoints", func(v value) { r.endpoint(s, v) }) }),
		"port_mappings": s.reads("spec.ports", func(v value) { r.each(v, "ports", func(v value) { r.mapping(s, v) }) }),
		"storage":       s.reads("spec.mounts", func(v value) { r.each(v, "mounts", func(v value) { r.mount(s, v) }) }),
		"network":       network,
		"network_mode":  network,
		"hostname":      s.reads("spec.hostname", func(v value) { spec.Hostname = r.text(v) }),
		"dns":           s.reads("spec.dns", func(v value) { spec.DNS = r.words(v) }),
		"extra_hosts":   s.reads("spec.extra_hosts", func(v value) { spec.ExtraHosts = r.hosts(v) }),
	}
}

func (r *reader) scale(s *service, v value) {
	mode := "fixed"
	given := r.object(v.Node, v.path, fields{
		"mode":     func(v value) { mode = r.word(v, "fixed", "manual", "adaptive") },
		"replicas": func(v value) { s.replicas = int(r.whole(v, 0, mostReplicas)) },
		"min":      func(value) {}, "max": func(value) {}, "cooldown": func(value) {}, "targets": func(value) {},
	})
	switch {
	case mode == "adaptive" || given["min"] || given["max"] || given["targets"]:
		r.wrong(v, "shunt does not scale by itself; want {mode: fixed, replicas: N}")
	case mode == "fixed" && !given["replicas"]:
		r.requireIn(v, given, "replicas", "how many")
	}
}

func (r *reader) selector(s *service, v value) {
	r.object(v.Node, v.path, fields{
		"labels":        s.reads("requires.labels", func(v value) { s.job.Requires.Labels = r.dictionary(v) }),
		"prefer_labels": s.reads("requires.prefer", func(v value) { s.job.Requires.Prefer = r.dictionary(v) }),
	})
}

// endpoint publishes a port: a public one on the node's port of the same number,
// an internal one on a port that is free.
func (r *reader) endpoint(s *service, v value) {
	var p messages.Port
	var port uint16
	public := false
	given := r.object(v.Node, v.path, fields{
		"name": func(v value) { r.text(v) },
		"protocol": func(v value) {
			if p.Protocol = "tcp"; r.word(v, "http", "https", "tcp", "udp", "websocket") == "udp" {
				p.Protocol = "udp"
			}
		},
		"port":        func(v value) { port = r.port(v) },
		"target_port": func(v value) { p.Container = r.port(v) },
		"expose":      func(v value) { public = r.word(v, "public", "internal") == "public" },
		"path":        r.unknownToUs("a proxy with paths"),
		"stream":      r.unknownToUs("a proxy for streams"),
		"tunnel":      r.unknownToUs("a tunnel"),
	})
	r.requireIn(v, given, "port", "a port from 1 to 65535")
	s.from[fmt.Sprintf("spec.ports[%d]", len(s.job.Spec.Ports))] = v
	if p.Container == 0 {
		p.Container = port
	}
	if public {
		p.Host = port
	}
	s.job.Spec.Ports = append(s.job.Spec.Ports, p)
}

func (r *reader) mapping(s *service, v value) {
	var p messages.Port
	given := r.object(v.Node, v.path, fields{
		"host_port":      func(v value) { p.Host = uint16(r.whole(v, 0, math.MaxUint16)) },
		"container_port": func(v value) { p.Container = r.port(v) },
		"protocol":       func(v value) { p.Protocol = r.word(v, "tcp", "udp") },
		"host_ip":        func(v value) { p.HostIP = r.text(v) },
	})
	r.requireIn(v, given, "container_port", "a port from 1 to 65535")
	s.from[fmt.Sprintf("spec.ports[%d]", len(s.job.Spec.Ports))] = v
	s.job.Spec.Ports = append(s.job.Spec.Ports, p)
}

// mountTypes are the types of the format, and ours.
var mountTypes = map[string]messages.MountType{
	"bind": messages.MountBind, "named": messages.MountVolume, "anonymous": messages.MountAnonymous, "tmpfs": messages.MountTmpfs,
}

func (r *reader) mount(s *service, v value) {
	var m messages.Mount
	source := func(v value) { m.Source = r.text(v) }
	given := r.object(v.Node, v.path, fields{
		"type":        func(v value) { m.Type = mountTypes[r.word(v, "bind", "named", "anonymous", "tmpfs")] },
		"source":      source,
		"name":        source,
		"target":      func(v value) { m.Target = r.text(v) },
		"readonly":    func(v value) { m.ReadOnly = r.boolean(v) },
		"size":        func(v value) { m.Size = r.size(v) },
		"tier":        func(v value) { r.word(v, "local") },
		"mode":        r.unknownToUs("a mode of a tmpfs"),
		"bucket":      r.unknownToUs("an S3 mount"),
		"credentials": r.unknownToUs("an S3 mount"),
	})
	r.requireIn(v, given, "type", "bind, named, anonymous or tmpfs")
	r.requireIn(v, given, "target", "the path in the container")
	if m.Type == messages.MountVolume && given["size"] {
		r.wrong(v, "a named volume has no size; leave it out")
		m.Size = 0
	}
	s.from[fmt.Sprintf("spec.mounts[%d]", len(s.job.Spec.Mounts))] = v
	s.job.Spec.Mounts = append(s.job.Spec.Mounts, m)
}

// hosts reads names and addresses, or a list of name:address.
func (r *reader) hosts(v value) map[string]string {
	if v.Kind != yaml.SequenceNode {
		return r.dictionary(v)
	}
	hosts := map[string]string{}
	r.each(v, "name:address", func(v value) {
		name, address, ok := strings.Cut(r.text(v), ":")
		if !ok {
			r.wrong(v, "%s is not allowed; want name:address", shown(v.Node))
			return
		}
		hosts[name] = address
	})
	return hosts
}
