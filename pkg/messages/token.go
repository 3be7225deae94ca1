package messages

import (
	"strconv"
	"strings"
)

// tokenRule is how errors describe a token.
const tokenRule = "1 to 128 characters of A-Z a-z 0-9 - _, not beginning with _"

// ValidToken tells whether s may name a node, job, service or session:
// `[A-Za-z0-9-][A-Za-z0-9_-]{0,127}`.
func ValidToken(s string) bool {
	if s == "" || len(s) > MaxTokenLength || s[0] == '_' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// CheckToken is ValidToken as an error that names the field.
func CheckToken(field, token string) error {
	if token == "" {
		return missing(field, tokenRule)
	}
	if !ValidToken(token) {
		return invalid(field, token, tokenRule)
	}
	return nil
}

// checkNode is CheckToken, but lets the placers' own token pass.
func checkNode(field, node string) error {
	if node == PlacerNode {
		return nil
	}
	return CheckToken(field, node)
}

// ContainerName is the name of a service's replica: `<service>-rep-<replica>`.
func ContainerName(service string, replica uint32) string {
	return service + "-rep-" + strconv.FormatUint(uint64(replica), 10)
}

// ParseContainerName is the inverse of ContainerName; ok is false when name is
// not of that form.
func ParseContainerName(name string) (service string, replica uint32, ok bool) {
	i := strings.LastIndex(name, "-rep-")
	if i <= 0 {
		return "", 0, false
	}
	digits := name[i+len("-rep-"):]
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != digits || !ValidToken(name[:i]) {
		return "", 0, false
	}
	return name[:i], uint32(n), true
}
