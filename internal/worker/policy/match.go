package policy

import (
	"path"
	"slices"
	"strings"
)

// cleanPath is a path without what does not change where it leads. Windows'
// paths are compared with slashes and in small letters, as Windows does.
func cleanPath(p string) string {
	if len(p) > 1 && p[1] == ':' || strings.HasPrefix(p, `\\`) {
		p = strings.ToLower(strings.ReplaceAll(p, `\`, "/"))
	}
	return path.Clean(p)
}

// within tells whether a path is dir or below it. Both are clean.
func within(p, dir string) bool {
	if p == dir {
		return true
	}
	return strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// matchesAny tells whether a pattern is the name, in which a * stands for
// anything but a slash.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, path.Clean(name))
		return ok && err == nil
	})
}
