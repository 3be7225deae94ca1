package version_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/internal/version"
)

func TestSemver(t *testing.T) {
	for v, want := range map[string]string{
		"v0.1.0":             "0.1.0",
		"0.1.0":              "0.1.0",
		"v0.1.0-3-gabc1234":  "0.1.0-3-gabc1234",
		"1234567":            "0.0.0+1234567", // an abbreviated commit of digits alone
		"9abcdef-dirty":      "0.0.0+9abcdef-dirty",
		"dev":                "0.0.0+dev",
		"":                   "0.0.0",
		"01.2.3":             "0.0.0+01.2.3",
		"not a version at ~": "0.0.0",
	} {
		if got := version.Semver(v); got != want {
			t.Errorf("Semver(%q) = %q, want %q", v, got, want)
		}
	}
}
