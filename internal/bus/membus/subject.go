package membus

import (
	"fmt"
	"strings"
)

// pattern is a subject that may have wildcards, by its tokens.
type pattern []string

func newPattern(subject string) pattern { return strings.Split(subject, ".") }

// literal tells that there is no wildcard in it.
func (p pattern) literal() bool {
	for _, token := range p {
		if token == "*" || token == ">" {
			return false
		}
	}
	return true
}

// matches tells whether a subject without wildcards falls under the pattern.
func (p pattern) matches(subject string) bool {
	for i, token := range p {
		if token == ">" {
			return subject != ""
		}
		head, rest, more := strings.Cut(subject, ".")
		if token != "*" && token != head {
			return false
		}
		if last := i == len(p)-1; last || !more {
			return last && !more
		}
		subject = rest
	}
	return false
}

// overlaps tells whether some subject falls under both patterns.
func (p pattern) overlaps(q pattern) bool {
	for i := range min(len(p), len(q)) {
		if p[i] == ">" || q[i] == ">" {
			return true
		}
		if p[i] != q[i] && p[i] != "*" && q[i] != "*" {
			return false
		}
	}
	return len(p) == len(q)
}

// checkSubject refuses what NATS refuses: empty tokens, blanks, and wildcards
// where they have no meaning.
func checkSubject(subject string, wildcards bool) error {
	tokens := strings.Split(subject, ".")
	for i, token := range tokens {
		switch {
		case token == "", strings.ContainsAny(token, " \t\r\n"):
			return fmt.Errorf("subject %q has an empty token or a blank in it", subject)
		case !wildcards && (token == "*" || token == ">"):
			return fmt.Errorf("subject %q has a wildcard, one can only listen there", subject)
		case token == ">" && i < len(tokens)-1:
			return fmt.Errorf("subject %q: > must be the last token", subject)
		}
	}
	return nil
}
