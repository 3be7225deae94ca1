package messagestest

import (
	"encoding/json"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// wrong is a value that a field must not have: of the right type, and without
// a meaning.
type wrong struct {
	field string
	value any
	code  messages.Code // default: invalid_argument
	names string        // the field the error names; default: field
}

// wrongs has for every message that strangers send what it must refuse. A
// message that nothing can be wrong with but its version has an empty entry.
var wrongs = map[string][]wrong{
	"Job": {
		{field: "id", value: "not.a.token"},
		{field: "op", value: "fly"},
		{field: "op", value: ""},
		{field: "kind", value: "daemon"},
		{field: "target", value: "_placer"},
		{field: "timeout", value: "-1s"},
		{field: "timeout", value: 90, code: messages.CodeMalformed},
		{field: "args", value: map[string]any{"cmd": []string{"ls"}}, names: "args.cmd"},
		{field: "spec.image", value: ""},
		{field: "spec.ports", value: []any{map[string]any{"container": 1}, map[string]any{"container": 1, "protocol": "sctp"}}, names: "spec.ports[1].protocol"},
		{field: "spec.ports", value: []any{map[string]any{"container": 70000}}, code: messages.CodeMalformed, names: "spec.ports[0].container"},
		{field: "spec.registry_auth", value: map[string]any{"password": "plain"}, names: "spec.registry_auth.password"},
		{field: "spec.platform.os", value: "plan9"},
		{field: "policy.reroute", value: "maybe"},
		{field: "created", value: "yesterday", code: messages.CodeMalformed},
	},
	"Cancel":  {{field: "reason", value: strings.Repeat("x", messages.MaxReasonLength+1)}},
	"Outcome": {{field: "status", value: "lost"}, {field: "node", value: "a.b"}, {field: "attempt", value: -1, code: messages.CodeMalformed}},
	"Record":  {{field: "state", value: "asleep"}, {field: "starts", value: -1}},
	"Lease":   {{field: "ttl", value: "-10s"}, {field: "node", value: "*"}},
	"Capabilities": {
		{field: "incarnation", value: "no number"},
		{field: "ttl", value: "-10s"},
		{field: "platforms", value: []any{map[string]any{"os": "plan9", "arch": "amd64", "runtime": "primary"}}, names: "platforms[0].os"},
		{field: "free.memory", value: -1},
		{field: "images", value: make([]string, messages.MaxImages+1)},
	},
	"PlacerBeat":       {{field: "id", value: ">"}},
	"Event":            {{field: "kind", value: "dreamt"}},
	"ListRequest":      {{field: "limit", value: -1}},
	"ContainerRequest": {{field: "container", value: "../etc"}, {field: "container", value: ""}},
	"StatsRequest":     {{field: "container", value: "a b"}},
	"ImagesRequest":    {{field: "limit", value: messages.MaxPageSize + 1}},
	"LogsRequest":      {{field: "tail", value: -1}, {field: "container", value: "web-rep-0", names: "job"}},
	"ExecRequest":      {{field: "cmd", value: []string{}}, {field: "cmd", value: []string{""}, names: "cmd[0]"}, {field: "workdir", value: "srv"}},
	"ExecResize":       {{field: "rows", value: 0}},
	"ExecSignal":       {{field: "signal", value: "SIGNATURE"}},
	"ExecCredit":       {{field: "bytes", value: -1}},
	"WaitRequest":      {{field: "condition", value: "bored"}, {field: "timeout", value: "-1s"}},
	"EventsRequest":    {{field: "kinds", value: []string{"exited", "dreamt"}, names: "kinds[1]"}},
	"PeersRequest":     {{field: "limit", value: -1}},
	"EmptyRequest":     {},
	"AttemptRequest":   {{field: "job", value: ""}},
	"DrainRequest":     {{field: "timeout", value: "-1s"}, {field: "node", value: "_placer"}},
	"JobsRequest":      {{field: "state", value: "asleep"}, {field: "limit", value: -1}},
	"JobRequest":       {{field: "id", value: ""}, {field: "id", value: "web 42"}},
	"ExplainRequest":   {{field: "job", value: map[string]any{"v": 1, "id": "a", "op": "fly"}, names: "id"}},
	"NodesRequest":     {{field: "platform.os", value: "plan9"}, {field: "labels", value: map[string]string{"": "x"}, names: `labels[""]`}},
	"NodeRequest":      {{field: "node", value: ""}},
}

// wrongValues are the faults of a message's own fields.
func wrongValues(message string, valid map[string]any) []Fault {
	var faults []Fault
	for _, w := range wrongs[message] {
		f := Fault{
			Name: w.field + " of a wrong value " + string(clip(marshal(w.value))), Body: with(valid, w.field, w.value),
			WantCode: messages.CodeInvalidArgument, WantField: w.field,
		}
		if w.code != "" {
			f.WantCode = w.code
		}
		if w.names != "" {
			f.WantField = w.names
		}
		faults = append(faults, f)
	}
	return faults
}

func clip(data []byte) []byte { return data[:min(len(data), 60)] }

// wrongTokens are bodies that say another name than their subject.
func wrongTokens(r messages.Route, message string, valid map[string]any) []Fault {
	var field string
	switch message {
	case "Job":
		field = "id"
		if r.Part == messages.PartRequest {
			field = "target"
		}
	case "Outcome", "Lease", "Capabilities", "Event":
		field = "node"
	case "Record":
		field = "job.id"
	case "PlacerBeat":
		field = "id"
	case "DrainRequest":
		if !strings.HasPrefix(r.Subject, "<root>.node.") {
			return []Fault{{
				Name: "no node", Body: with(valid, "node", ""),
				WantCode: messages.CodeInvalidArgument, WantField: "node",
			}}
		}
		field = "node"
	default:
		return nil
	}
	return []Fault{{
		Name: field + " disagrees with the subject", Body: with(valid, field, "somebody-else"),
		WantCode: messages.CodeInvalidArgument, WantField: field,
	}}
}

// validBody is the minimal sample of a message as an object, with the names
// that its subject says.
func validBody(root messages.Root, subject, message, node, job string) map[string]any {
	var body map[string]any
	for _, s := range Samples() {
		if s.Name == message {
			if err := json.Unmarshal(marshal(s.Minimal), &body); err != nil {
				panic(err) // a sample that was just written
			}
		}
	}
	switch message {
	case "Job":
		body["id"] = job
	case "Record":
		body["job"].(map[string]any)["id"] = job
	case "Outcome":
		body["job"], body["node"] = job, node
	case "Lease", "Capabilities":
		body["node"] = node
	case "Event":
		body["node"], body["kind"] = node, root.Token(subject, 2)
	case "PlacerBeat":
		body["id"] = root.Token(subject, 1)
	case "DrainRequest":
		body["node"] = node
	}
	return body
}
