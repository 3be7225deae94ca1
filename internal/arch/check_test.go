package arch

import (
	"fmt"
	"slices"
	"strings"
)

// A graph has the direct imports of every package. Paths of this module are
// relative to it.
type graph struct {
	own     map[string]bool // packages of this module
	std     map[string]bool
	imports map[string][]string
}

// matches says whether a path is meant by a pattern of a rule.
func (g *graph) matches(path, pattern string) bool {
	switch {
	case pattern == "...":
		return true
	case pattern == "std":
		return g.std[path]
	case strings.HasSuffix(pattern, "/..."):
		base := strings.TrimSuffix(pattern, "/...")
		return path == base || strings.HasPrefix(path, base+"/")
	case strings.HasSuffix(pattern, "/*"):
		return strings.HasPrefix(path, strings.TrimSuffix(pattern, "*"))
	}
	return path == pattern
}

func (g *graph) matchesAny(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return g.matches(path, pattern) })
}

// check gives one line for each import that breaks a rule, in a fixed order.
func (g *graph) check(rules []rule) []string {
	var broken []string
	for _, r := range rules {
		for from := range g.own {
			if !g.matchesAny(from, r.from) || g.matchesAny(from, r.except) {
				continue
			}
			for _, offence := range g.offences(from, r) {
				broken = append(broken, fmt.Sprintf("%s %s: %s", from, offence, r.why))
			}
		}
	}
	slices.Sort(broken)
	return broken
}

// offences are the imports of one package that one rule forbids.
func (g *graph) offences(from string, r rule) []string {
	var found []string
	for _, to := range g.imports[from] {
		switch {
		case len(r.only) > 0 && !g.matchesAny(to, r.only):
			found = append(found, fmt.Sprintf("imports %s, and may import %s only", to, strings.Join(r.only, ", ")))
		case r.strangers != "" && areStrangers(from, to, r.strangers):
			found = append(found, "imports "+to)
		case g.std[to] && g.matchesAny(to, r.never):
			found = append(found, "imports "+to)
		}
	}
	return append(found, g.reached(from, r.never)...)
}

// areStrangers says whether two packages are below different children of base.
// What the children share, base/internal, is nobody's stranger.
func areStrangers(from, to, base string) bool {
	child := func(path string) string {
		below, ok := strings.CutPrefix(path, base+"/")
		if !ok {
			return ""
		}
		name, _, _ := strings.Cut(below, "/")
		return name
	}
	return child(to) != "" && child(to) != "internal" && child(to) != child(from)
}

// reached finds the forbidden packages outside the standard library that a
// package imports, directly or through others, each with the way there.
func (g *graph) reached(from string, never []string) []string {
	var found []string
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, to := range g.imports[queue[0]] {
			if _, seen := before[to]; seen || g.std[to] {
				continue
			}
			before[to] = queue[0]
			if g.matchesAny(to, never) {
				found = append(found, describe(to, before))
				continue // what it imports itself is not news
			}
			queue = append(queue, to)
		}
	}
	return found
}

// describe says how to get to a package from the one before which there is none.
func describe(to string, before map[string]string) string {
	var through []string
	for at := before[to]; before[at] != ""; at = before[at] {
		through = append([]string{at}, through...)
	}
	if len(through) == 0 {
		return "imports " + to
	}
	return fmt.Sprintf("imports %s through %s", to, strings.Join(through, ", "))
}
