package image_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func platform(os, arch, version string) messages.Platform {
	return messages.Platform{OS: messages.OS(os), Arch: arch, OSVersion: version}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		offer, want messages.Platform
		match       bool
	}{
		{platform("linux", "amd64", ""), platform("linux", "amd64", ""), true},
		{platform("linux", "amd64", ""), platform("linux", "arm64", ""), false},
		{platform("linux", "amd64", ""), platform("windows", "amd64", ""), false},
		{platform("linux", "amd64", ""), platform("", "", ""), true},
		{platform("linux", "amd64", ""), platform("linux", "", ""), true},
		{platform("linux", "", ""), platform("linux", "arm64", ""), true},
		{platform("Linux", "x86_64", ""), platform("linux", "amd64", ""), true},
		{platform("linux", "arm64", ""), platform("linux", "aarch64", ""), true},
		{platform("linux", "arm", ""), platform("linux", "armv7l", ""), true},
		{platform("linux", "arm", ""), platform("linux", "arm64", ""), false},
		{platform("darwin", "arm64", ""), platform("macos", "arm64", ""), true},
		{platform("freebsd", "amd64", ""), platform("linux", "amd64", ""), false},

		{platform("windows", "amd64", "10.0.20348.2461"), platform("windows", "amd64", "10.0.20348.1"), true},
		{platform("windows", "amd64", "10.0.20348.2461"), platform("windows", "amd64", "10.0.20348"), true},
		{platform("windows", "amd64", "10.0.20348.2461"), platform("windows", "amd64", "10.0.26100.2461"), false},
		{platform("windows", "amd64", "10.0.20348"), platform("windows", "amd64", "10.0.2034"), false},
		{platform("windows", "amd64", "10.0.20348"), platform("", "amd64", "10.0.26100"), false},
		{platform("windows", "amd64", ""), platform("windows", "amd64", "10.0.20348"), true},
		{platform("windows", "amd64", "10.0.20348"), platform("windows", "amd64", ""), true},
		{platform("linux", "amd64", "6.1"), platform("linux", "amd64", "5.10"), true},
	}
	for _, tt := range tests {
		if got := image.Matches(tt.offer, tt.want); got != tt.match {
			t.Errorf("Matches(%s, %s) = %v", tt.offer, tt.want, got)
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	offers := []messages.Platform{
		platform("linux", "amd64", ""),
		platform("windows", "amd64", ""),
		platform("windows", "amd64", "10.0.20348.1"),
		platform("windows", "amd64", "10.0.20348.2"),
		platform("windows", "amd64", "10.0.26100.1"),
	}
	for want, at := range map[messages.Platform]int{
		platform("", "", ""):                            0,
		platform("linux", "amd64", ""):                  0,
		platform("windows", "amd64", ""):                1, // the image's own order
		platform("windows", "amd64", "10.0.17763.1"):    1, // unknown may do
		platform("windows", "amd64", "10.0.20348.2"):    3, // the very one
		platform("windows", "amd64", "10.0.20348.9"):    2, // the same build
		platform("windows", "amd64", "10.0.26100.9999"): 4,
		platform("linux", "arm64", ""):                  -1,
		platform("darwin", "", ""):                      -1,
	} {
		got, ok := image.Select(offers, want)
		if ok != (at >= 0) || ok && got != offers[at] {
			t.Errorf("Select(%s) = %s, %v", want, got, ok)
		}
	}
}
