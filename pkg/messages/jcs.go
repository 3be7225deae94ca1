package messages

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Canonical writes JSON in the canonical form of RFC 8785: no white space, the
// members of objects in the order of their names' UTF-16 code units, numbers as
// ECMAScript writes them, and strings with the fewest escapes. Input that is
// not I-JSON (RFC 7493) has no such form and is an *Error of code malformed:
// text that is not UTF-8 or has lone surrogates, an object with a name twice,
// a number beyond float64.
func Canonical(data []byte) ([]byte, error) {
	c, err := newCanonicalizer(data)
	if err != nil {
		return nil, err
	}
	if err := c.value(); err != nil {
		return nil, err
	}
	return c.out, nil
}

// canonicalizer walks text that json.Valid has found to be JSON, so that the
// grammar needs no second check.
type canonicalizer struct {
	in  []byte
	pos int
	out []byte
}

func newCanonicalizer(data []byte) (*canonicalizer, error) {
	if !utf8.Valid(data) {
		return nil, malformed("the JSON is not UTF-8")
	}
	if !json.Valid(data) {
		return nil, asMalformed(json.Unmarshal(data, new(json.RawMessage))) // only this says what is wrong
	}
	return &canonicalizer{in: data, out: make([]byte, 0, len(data))}, nil
}

func malformed(format string, args ...any) error {
	return &Error{Code: CodeMalformed, Message: fmt.Sprintf(format, args...)}
}

// peek skips white space and is the byte behind it.
func (c *canonicalizer) peek() byte {
	for {
		switch b := c.in[c.pos]; b {
		case ' ', '\t', '\r', '\n':
			c.pos++
		default:
			return b
		}
	}
}

func (c *canonicalizer) value() error {
	switch c.peek() {
	case '{':
		members, err := c.members()
		if err != nil {
			return err
		}
		c.writeMembers(members)
		return nil
	case '[':
		return c.array()
	case '"':
		s, err := c.readString()
		if err != nil {
			return err
		}
		c.out = appendString(c.out, s)
		return nil
	}
	return c.literal()
}

func (c *canonicalizer) array() error {
	c.pos++
	c.out = append(c.out, '[')
	for n := 0; c.peek() != ']'; n++ {
		if n > 0 {
			c.pos++ // the comma
			c.out = append(c.out, ',')
		}
		if err := c.value(); err != nil {
			return err
		}
	}
	c.pos++
	c.out = append(c.out, ']')
	return nil
}

// member is one name of an object and its value in canonical form.
type member struct {
	name  string
	value []byte
}

// members reads an object, sorted by name.
func (c *canonicalizer) members() ([]member, error) {
	c.pos++
	outer := c.out
	defer func() { c.out = outer }()
	var all []member
	for c.peek() != '}' {
		if len(all) > 0 {
			c.pos++ // the comma
			c.peek()
		}
		name, err := c.readString()
		if err != nil {
			return nil, err
		}
		c.peek()
		c.pos++ // the colon
		c.out = nil
		if err := c.value(); err != nil {
			return nil, err
		}
		all = append(all, member{name, c.out})
	}
	c.pos++
	slices.SortFunc(all, func(a, b member) int { return compareUTF16(a.name, b.name) })
	for i := 1; i < len(all); i++ {
		if all[i-1].name == all[i].name {
			return nil, malformed("an object has the name %s twice", quote(all[i].name))
		}
	}
	return all, nil
}

func (c *canonicalizer) writeMembers(all []member) {
	c.out = append(c.out, '{')
	for i, m := range all {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.out = appendString(c.out, m.name)
		c.out = append(c.out, ':')
		c.out = append(c.out, m.value...)
	}
	c.out = append(c.out, '}')
}

// literal copies true, false and null, and rewrites a number.
func (c *canonicalizer) literal() error {
	start := c.pos
	for c.pos < len(c.in) && !bytes.ContainsRune([]byte(" \t\r\n,]}"), rune(c.in[c.pos])) {
		c.pos++
	}
	text := string(c.in[start:c.pos])
	switch text {
	case "true", "false", "null":
		c.out = append(c.out, text...)
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return malformed("%s is a number that no float64 can hold", quote(text))
	}
	c.out = appendNumber(c.out, f)
	return nil
}

// appendNumber writes a finite number as ECMAScript's Number::toString does:
// the shortest digits that read back as the same number.
func appendNumber(out []byte, f float64) []byte {
	if f == 0 {
		return append(out, '0') // -0 too
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(out, f, 'f', -1, 64)
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	// Go pads the exponent to two digits, ECMAScript does not.
	if n := len(text); text[n-2] == '0' && (text[n-3] == '-' || text[n-3] == '+') {
		text = text[:n-2] + text[n-1:]
	}
	return append(out, text...)
}

// readString reads a string, escapes and all.
func (c *canonicalizer) readString() (string, error) {
	start := c.pos
	escaped := false
	for c.pos++; c.in[c.pos] != '"'; c.pos++ {
		if c.in[c.pos] == '\\' {
			escaped = true
			c.pos++
		}
	}
	c.pos++
	raw := c.in[start:c.pos]
	if !escaped {
		return string(raw[1 : len(raw)-1]), nil
	}
	if hasLoneSurrogate(raw) {
		return "", malformed("%s has a surrogate without its other half", quote(string(raw)))
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// hasLoneSurrogate looks through a string's \u escapes; encoding/json would
// replace such a half by U+FFFD, and two different strings by the same one.
func hasLoneSurrogate(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		unit, _ := strconv.ParseUint(string(raw[i+1:i+5]), 16, 16)
		i += 4
		switch {
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			low, ok := lowSurrogate(raw[i+1:])
			if !ok {
				return true
			}
			i += low
		}
	}
	return false
}

// lowSurrogate is the length of the \u escape of a low surrogate that raw
// begins with.
func lowSurrogate(raw []byte) (int, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	return 6, err == nil && unit >= 0xDC00 && unit <= 0xDFFF
}

// appendString escapes what RFC 8785 says must be, and nothing else.
func appendString(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for i := range len(s) {
		switch b := s[i]; b {
		case '"', '\\':
			out = append(out, '\\', b)
		case '\b':
			out = append(out, '\\', 'b')
		case '\t':
			out = append(out, '\\', 't')
		case '\n':
			out = append(out, '\\', 'n')
		case '\f':
			out = append(out, '\\', 'f')
		case '\r':
			out = append(out, '\\', 'r')
		default:
			if b < ' ' {
				out = append(out, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xF])
				continue
			}
			out = append(out, b)
		}
	}
	return append(out, '"')
}

// compareUTF16 orders strings by their UTF-16 code units, which differs from
// the order of their runes where one is beyond the basic plane.
func compareUTF16(a, b string) int {
	for a != "" && b != "" {
		ra, na := utf8.DecodeRuneInString(a)
		rb, nb := utf8.DecodeRuneInString(b)
		if ra != rb {
			return cmp.Or(cmp.Compare(firstUnit(ra), firstUnit(rb)), cmp.Compare(ra, rb))
		}
		a, b = a[na:], b[nb:]
	}
	return cmp.Compare(len(a), len(b))
}

// firstUnit is the first UTF-16 code unit of a rune.
func firstUnit(r rune) rune {
	if r < 0x10000 {
		return r
	}
	return 0xD800 + (r-0x10000)>>10
}
