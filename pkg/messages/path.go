package messages

import "strings"

// Paths are those of the container's system, which need not be this process's:
// a Windows build validates Linux jobs and the other way round. So nothing
// here asks path/filepath.

// absoluteOrNone checks a path that may be left out; os may be empty, since a
// job need not say for which system it is.
func absoluteOrNone(field, path string, os OS) error {
	if path == "" {
		return nil
	}
	return checkAbsolute(field, path, os)
}

// checkAbsolute checks that a path is absolute on a system, or on any if os is
// empty, and that it does not climb.
func checkAbsolute(field, path string, os OS) error {
	want := `an absolute path, such as /data or C:\data`
	ok := isUnixPath(path) || isWindowsPath(path)
	switch os {
	case Windows:
		want, ok = `an absolute path on windows, such as C:\data`, isWindowsPath(path)
	case Linux, Darwin:
		want, ok = "an absolute path on "+string(os)+", such as /data", isUnixPath(path)
	}
	if path == "" {
		return missing(field, want)
	}
	if !ok || climbs(path) {
		return invalid(field, path, want+", without ..")
	}
	return checkNoNUL(field, path)
}

func isUnixPath(path string) bool { return strings.HasPrefix(path, "/") }

// isWindowsPath knows drives and the roots that begin with two backslashes:
// shares, and named pipes.
func isWindowsPath(path string) bool {
	if strings.HasPrefix(path, `\\`) {
		return true
	}
	if len(path) < 3 || path[1] != ':' || (path[2] != '\\' && path[2] != '/') {
		return false
	}
	drive := path[0] | 0x20
	return drive >= 'a' && drive <= 'z'
}

// climbs tells whether an element of the path is "..".
func climbs(path string) bool {
	separators := "/"
	if isWindowsPath(path) {
		separators = `/\`
	}
	for element := range strings.FieldsFuncSeq(path, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		if element == ".." {
			return true
		}
	}
	return false
}
