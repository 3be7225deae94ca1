package schema

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/invopop/jsonschema"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// token is the pattern of a name.
const token = `^[A-Za-z0-9-][A-Za-z0-9_-]{0,127}$`

// optional are the fields that a message may leave out although shunt itself
// always writes them: their zero value says the same.
var optional = map[string][]string{
	"Capabilities":    {"seq", "at", "interval", "ttl", "platforms", "free", "total", "draining", "containers", "host"},
	"ContainerInfo":   {"image"},
	"DrainReply":      {"draining", "left"},
	"Error":           {"message"},
	"Event":           {"at"},
	"ExecCredit":      {"bytes"},
	"ExplainReply":    {"nodes"},
	"History":         {"at"},
	"Host":            {"os", "arch", "cpus", "memory"},
	"IOStats":         {"read_bytes", "write_bytes"},
	"ImagesReply":     {"images"},
	"InfoReply":       {"version", "runtimes"},
	"InspectReply":    {"image"},
	"JobsReply":       {"jobs"},
	"Lease":           {"at", "ttl"},
	"ListReply":       {"containers"},
	"NetStats":        {"rx_bytes", "tx_bytes"},
	"NodeInfo":        {"seq", "at", "interval", "ttl", "platforms", "free", "total", "draining", "containers", "host", "age"},
	"NodeVerdict":     {"ok", "score"},
	"NodesReply":      {"nodes"},
	"Outcome":         {"job", "attempt", "seq", "at"}, // a rejected may know no job
	"PlacerBeat":      {"at", "seq"},
	"PlacerInfoReply": {"version", "placers", "counts"},
	"Platform":        {"os", "arch"},
	"Record":          {"attempt", "starts", "created", "updated"},
	"Refusal":         {"attempt", "reason"},
	"Room":            {"cpu_milli", "memory", "pids", "gpu"},
	"RouteToPeer":     {"service", "reason"},
	"RuntimeInfo":     {"platforms"},
	"Spec":            {"image"}, // needed by run and create only
	"Stats":           {"cpu_usage_usec", "memory_bytes", "pids", "io", "network", "at"},
	"Ulimit":          {"soft", "hard"},
	"VolumeBytes":     {"bytes"},
	"WaitReply":       {"exit_code", "exit_reason"},
}

// tokens are the fields that must name something.
var tokens = map[string][]string{
	"AttemptRequest":   {"job"},
	"Capabilities":     {"node"},
	"ContainerInfo":    {"container"},
	"ContainerRequest": {"container"},
	"ExecRequest":      {"container"},
	"ExecSession":      {"session"},
	"Fence":            {"node"},
	"InfoReply":        {"node"},
	"InspectReply":     {"container"},
	"Job":              {"id"},
	"JobRequest":       {"id"},
	"Lease":            {"node"},
	"NameClaim":        {"job"},
	"NodeInfo":         {"node"},
	"NodeRequest":      {"node"},
	"NodeVerdict":      {"node"},
	"PlacerBeat":       {"id"},
	"PlacerInfoReply":  {"id"},
	"Refusal":          {"node"},
	"Replaced":         {"job"},
	"StatsRequest":     {"container"},
	"Successor":        {"node"},
	"WaitRequest":      {"container"},
}

// lists are the fields with a limit on their entries.
var lists = map[string]map[string]uint64{
	"Job":          {"refused": messages.MaxRefused},
	"Record":       {"history": messages.MaxHistory},
	"Capabilities": {"images": messages.MaxImages},
	"NodeInfo":     {"images": messages.MaxImages},
	"RouteToPeer":  {"peers": messages.MaxPeersNamed},
}

// refine adds to the schema of a type what its Go type does not say.
func refine(name string, s *jsonschema.Schema) {
	if s.Properties == nil {
		return
	}
	if v, ok := s.Properties.Get("v"); ok {
		v.Const = messages.Version
	}
	s.Required = slices.DeleteFunc(s.Required, func(field string) bool { return slices.Contains(optional[name], field) })
	for _, field := range tokens[name] {
		property(s, name, field).Pattern = token
	}
	for field, most := range lists[name] {
		property(s, name, field).MaxItems = &most
	}
	switch name {
	case "SealedAuth":
		s.AdditionalProperties = jsonschema.FalseSchema
	case "Job":
		property(s, name, "op").Enum = words(messages.Ops()...)
	case "Record":
		property(s, name, "state").Enum = words(messages.States()...)
	case "Port":
		property(s, name, "protocol").Enum = []any{"tcp", "udp", ""}
		bounds(property(s, name, "container"), 1, 1<<16-1)
		bounds(property(s, name, "host"), 0, 1<<16-1)
	case "HealthHTTP", "HealthTCP":
		bounds(property(s, name, "port"), 1, 1<<16-1)
	case "ExecResize":
		bounds(property(s, name, "rows"), 1, 1<<16-1)
		bounds(property(s, name, "cols"), 1, 1<<16-1)
	}
}

// property is a field's own schema. A table above that names a field which is
// gone is a mistake of this package, and says so at once.
func property(s *jsonschema.Schema, name, field string) *jsonschema.Schema {
	p, ok := s.Properties.Get(field)
	if !ok {
		panic("schema: " + name + " has no field " + field) //nolint:forbidigo // nothing that comes from outside gets here
	}
	return p
}

func bounds(s *jsonschema.Schema, low, high int) {
	s.Minimum = json.Number(strconv.Itoa(low))
	s.Maximum = json.Number(strconv.Itoa(high))
}
