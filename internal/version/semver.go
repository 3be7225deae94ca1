package version

import "regexp"

var (
	semantic = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)
	build    = regexp.MustCompile(`^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$`)
)

// Semver is a version in the form that NATS's discovery insists on: v itself,
// without a leading v, if it has that form; else 0.0.0, with v as the build
// where that may stand there.
func Semver(v string) string {
	if len(v) > 1 && v[0] == 'v' && semantic.MatchString(v[1:]) {
		return v[1:]
	}
	switch {
	case semantic.MatchString(v):
		return v
	case build.MatchString(v):
		return "0.0.0+" + v
	}
	return "0.0.0"
}
