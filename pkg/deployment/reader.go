package deployment

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// reader reads YAML nodes, which know their lines, and notes mistakes instead of
// stopping at the first.
type reader struct {
	mistakes Mistakes
}

// value is a node and the path by which people know it.
type value struct {
	*yaml.Node
	path string
}

// fields are what an object may have, and what reads each.
type fields map[string]func(value)

func (r *reader) wrong(v value, format string, args ...any) {
	r.mistakes = append(r.mistakes, Mistake{Line: v.Line, Field: v.path, Message: fmt.Sprintf(format, args...)})
}

// syntaxLine finds the line in an error of the YAML library.
var syntaxLine = regexp.MustCompile(`^yaml: line (\d+): `)

func (r *reader) syntax(err error) {
	m := Mistake{Line: 1, Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if found := syntaxLine.FindStringSubmatch(err.Error()); found != nil {
		m.Line, _ = strconv.Atoi(found[1])
		m.Message = strings.TrimPrefix(err.Error(), found[0])
	}
	m.Message += "; this is not YAML"
	r.mistakes = append(r.mistakes, m)
}

// object reads an object and tells which fields it has. What it does not know is
// a mistake: a misspelt field must not be ignored.
func (r *reader) object(n *yaml.Node, path string, known fields) map[string]bool {
	given := map[string]bool{}
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		r.wrong(value{n, path}, "%s is not allowed; want an object with %s", shown(n), listed(known))
		return given
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i], value{resolved(n.Content[i+1]), join(path, n.Content[i].Value)}
		at := value{key, v.path}
		read := known[key.Value]
		switch {
		case read == nil:
			r.wrong(at, "there is no such field%s", suggestion(key.Value, known))
			continue
		case given[key.Value]:
			r.wrong(at, "is given twice")
			continue
		}
		given[key.Value] = true
		if v.Tag != "!!null" {
			read(v)
		}
	}
	return given
}

// entries reads an object whose keys are names.
func (r *reader) entries(v value, want string, read func(name string, key, v value)) {
	if v.Kind != yaml.MappingNode {
		r.wrong(v, "%s is not allowed; want %s", shown(v.Node), want)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		name := v.Content[i].Value
		path := join(v.path, name)
		if seen[name] {
			r.wrong(value{v.Content[i], path}, "is given twice")
			continue
		}
		seen[name] = true
		read(name, value{v.Content[i], path}, value{resolved(v.Content[i+1]), path})
	}
}

// each reads a list.
func (r *reader) each(v value, want string, read func(value)) {
	if v.Kind != yaml.SequenceNode {
		r.wrong(v, "%s is not allowed; want a list of %s", shown(v.Node), want)
		return
	}
	for i, n := range v.Content {
		read(value{resolved(n), fmt.Sprintf("%s[%d]", v.path, i)})
	}
}

func (r *reader) require(n *yaml.Node, given map[string]bool, field, want string) {
	if !given[field] && n.Kind == yaml.MappingNode {
		r.wrong(value{n, field}, "is missing; want %s", want)
	}
}

func (r *reader) requireIn(v value, given map[string]bool, field, want string) {
	if !given[field] && v.Kind == yaml.MappingNode {
		r.wrong(value{v.Node, join(v.path, field)}, "is missing; want %s", want)
	}
}

// unknownToUs reads a field of the format that means something shunt does not
// have.
func (r *reader) unknownToUs(what string) func(value) {
	return func(v value) { r.wrong(v, "shunt has no such thing as %s; leave it out", what) }
}

// token reads a name.
func (r *reader) token(v value) string {
	s := r.text(v)
	if err := messages.CheckToken("", s); err != nil && s != "" {
		r.wrong(v, "%q is not allowed; want A-Z a-z 0-9 - _, not beginning with _", s)
	}
	return s
}

func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// shown is a value as a mistake shows it.
func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

func listed(known fields) string { return strings.Join(slices.Sorted(maps.Keys(known)), ", ") }

// suggestion is the field that was probably meant, or all there are.
func suggestion(name string, known fields) string {
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if oneEdit(name, k) {
			return "; did you mean " + k + "?"
		}
	}
	return "; want some of " + listed(known)
}

// oneEdit tells whether two names differ by a letter, one too many or too few,
// or two that changed places.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return i < len(a) && (a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

// fault notes what is wrong with a job as a whole, at the field of the service it
// came from.
func (r *reader) fault(s *service, err error) {
	e, ok := errors.AsType[*messages.Error](err)
	if !ok {
		r.wrong(s.at, "%v", err)
		return
	}
	for field := e.Field; field != ""; {
		if from, known := s.from[field]; known {
			if rest := strings.TrimPrefix(e.Field[len(field):], "."); rest != "" {
				e = &messages.Error{Message: rest + ": " + e.Message}
			}
			r.wrong(from, "%s", e.Message)
			return
		}
		cut := strings.LastIndexAny(field, ".[")
		if cut < 0 {
			break
		}
		field = field[:cut]
	}
	r.wrong(s.at, "%s: %s", e.Field, e.Message)
}
