// Package schema makes the JSON Schemas of the contract from the Go types of
// package messages, one for each message, so that the two cannot drift apart:
// `go generate ./pkg/messages/...` writes them into docs/schema, and a test
// fails while the files there are stale.
//
// A schema says less than Validate: it knows names, types, enumerations and
// bounds, and not what an op needs. It is also stricter than Decode in one way:
// a field that has no value is left out, and not null.
package schema

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// draft is the dialect that the schemas are written in.
const draft = "https://json-schema.org/draft/2020-12/schema"

// Generate is the schema of every message, by the name of its file. root is
// the directory of the module, whose source has the descriptions.
func Generate(root string) (map[string][]byte, error) {
	reflector := &jsonschema.Reflector{
		AllowAdditionalProperties: true, // unknown fields are ignored
		Mapper:                    mapType,
	}
	if err := addComments(reflector, root); err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, d := range messages.All() {
		data, err := json.MarshalIndent(describe(reflector, d), "", "  ")
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", d.Name, err)
		}
		files[FileName(d.Name)] = append(data, '\n')
	}
	return files, nil
}

// FileName is the file of a message's schema.
func FileName(message string) string { return message + ".schema.json" }

// describe is one message's schema: the reflected one, what refine adds to it,
// and how the message travels.
func describe(reflector *jsonschema.Reflector, d messages.Descriptor) *jsonschema.Schema {
	s := reflector.Reflect(d.New())
	s.Version = draft
	s.ID = jsonschema.ID("https://shunt-fleet.github.io/schema/" + FileName(d.Name))
	s.Title = d.Name
	for name, definition := range s.Definitions {
		refine(name, definition)
	}
	var travels []string
	for _, r := range d.Routes {
		travels = append(travels, fmt.Sprintf("%s (%s)", r.Subject, r.Part))
	}
	s.Description = fmt.Sprintf("At most %d bytes. Travels on %s.", d.Limit, strings.Join(travels, ", "))
	return s
}

// addComments reads the descriptions of types and fields from their Go
// comments.
func addComments(reflector *jsonschema.Reflector, root string) error {
	pkg := reflect.TypeFor[messages.Job]().PkgPath()
	dir := filepath.Join(root, "pkg", "messages")
	if err := reflector.AddGoComments("", dir); err != nil {
		return fmt.Errorf("comments of %s: %w", dir, err)
	}
	byType := make(map[string]string, len(reflector.CommentMap))
	for key, text := range reflector.CommentMap {
		if rest, ok := strings.CutPrefix(key, filepath.ToSlash(dir)+"."); ok {
			byType[pkg+"."+rest] = strings.Join(strings.Fields(text), " ")
		}
	}
	if len(byType) == 0 {
		return fmt.Errorf("there are no comments in %s; want the source of package messages there", dir)
	}
	reflector.CommentMap = byType
	return nil
}
