package messagestest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Fault is a body that a subject must not accept.
type Fault struct {
	Name    string // for people: message, subject and what is wrong
	Message string // of the message expected there, see messages.Describe
	Part    messages.Part
	Subject string
	Body    []byte

	WantCode  messages.Code // of the error it must be answered with
	WantField string        // the field that error must name; empty: none
}

// Faults is the table subject by fault: for everything that anyone can publish
// or ask on the subjects of the contract, each way in which it can be wrong. It
// is made from messages.All, so a new message is in it by being registered.
//
// node and job stand for the names in the subjects; they should be of a node
// that lives and of a job that does not, so that what is wrong is the body
// alone. All faults are found by Decode and Root.CheckSubject; nothing of them
// may have an effect.
func Faults(root messages.Root, node, job string) []Fault {
	var faults []Fault
	for _, d := range messages.All() {
		for _, r := range d.Routes {
			if !incoming(r.Part) {
				continue
			}
			subject := subjectOf(root, r, node, job)
			valid := validBody(root, subject, d.Name, node, job)
			for _, f := range slices.Concat(brokenBodies(d), wrongTypes(d, valid), wrongValues(d.Name, valid), wrongTokens(r, d.Name, valid)) {
				f.Name = fmt.Sprintf("%s on %s: %s", d.Name, subject, f.Name)
				f.Message, f.Part, f.Subject = d.Name, r.Part, subject
				faults = append(faults, f)
			}
		}
	}
	return faults
}

// subjectOf puts names into the pattern of a route.
func subjectOf(root messages.Root, r messages.Route, node, job string) string {
	return strings.NewReplacer("<root>", string(root), "<node>", node, "<job>", job,
		"<id>", "placer-of-a-stranger", "<session>", "session-of-nobody", "<kind>", string(messages.EventExited),
	).Replace(r.Subject)
}

// incoming tells whether strangers send such messages to shunt, and not the
// other way round.
func incoming(p messages.Part) bool {
	switch p {
	case messages.PartStream, messages.PartBroadcast, messages.PartRequest, messages.PartSession:
		return true
	}
	return false
}

// brokenBodies are wrong for every message.
func brokenBodies(d messages.Descriptor) []Fault {
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	faults := []Fault{
		{Name: "half a body", Body: []byte(`{"v":1,`), WantCode: messages.CodeMalformed},
		{Name: "not JSON", Body: []byte("\x00\x01\x02"), WantCode: messages.CodeMalformed},
		{Name: "two bodies", Body: []byte(`{"v":1}{"v":1}`), WantCode: messages.CodeMalformed},
		{Name: "an array", Body: []byte(`[1]`), WantCode: messages.CodeMalformed},
		{Name: "not UTF-8", Body: []byte("{\"v\":1,\"x\":\"\xff\xfe\"}"), WantCode: messages.CodeMalformed},
		{Name: "nested too deep", Body: []byte(`{"v":1,"x":` + deep + `}`), WantCode: messages.CodeMalformed},
		{Name: "oversized", Body: oversized(d.Limit), WantCode: messages.CodeTooLarge},
	}
	for _, version := range []string{`2`, `0`, `"1"`, `null`, `1.5`, `[1]`} {
		faults = append(faults, Fault{
			Name: "version " + version, Body: []byte(`{"v":` + version + `}`),
			WantCode: messages.CodeUnsupportedVersion, WantField: "v",
		})
	}
	return append(faults, Fault{Name: "no version", Body: []byte(`{}`), WantCode: messages.CodeUnsupportedVersion, WantField: "v"})
}

// oversized is one byte over a limit, and otherwise right.
func oversized(limit int) []byte {
	const head, tail = `{"v":1,"x":"`, `"}`
	return []byte(head + strings.Repeat("x", limit+1-len(head)-len(tail)) + tail)
}

// wrongTypes gives each top-level field of a message a value of another type.
func wrongTypes(d messages.Descriptor, valid map[string]any) []Fault {
	var faults []Fault
	for _, f := range reflect.VisibleFields(reflect.TypeOf(d.New()).Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "v" {
			continue
		}
		wrong := any("of the wrong type")
		if f.Type.Kind() == reflect.String {
			wrong = []any{1}
		}
		faults = append(faults, Fault{
			Name: name + " of the wrong type", Body: with(valid, name, wrong),
			WantCode: messages.CodeMalformed, WantField: name,
		})
	}
	return faults
}

// with is the valid body with one field changed; the path goes through objects
// by dots.
func with(valid map[string]any, path string, value any) []byte {
	data := marshal(valid)
	var body map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		panic(err) // a body that was just written
	}
	at := body
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		inner, ok := at[key].(map[string]any)
		if !ok {
			inner = make(map[string]any)
			at[key] = inner
		}
		at = inner
	}
	at[keys[len(keys)-1]] = value
	return marshal(body)
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps, strings and numbers
	}
	return data
}
