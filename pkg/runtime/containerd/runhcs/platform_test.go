package runhcs

import (
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func windows(version string) messages.Platform {
	return messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: version}
}

func TestBuildsThatFit(t *testing.T) {
	for _, c := range []struct {
		host, image string
		fits        bool
	}{
		{"10.0.20348", "10.0.20348.2700", true},
		{"10.0.17763", "10.0.20348", false},
		{"10.0.20348", "10.0.17763", false},
		{"10.0.26100", "10.0.20348", true}, // its interfaces are kept from 2022 on
		{"10.0.26200", "10.0.20348", true},
		{"10.0.20348", "10.0.26100", false},
		{"10.0.20348", "", true}, // one can only try
	} {
		if got := Fits(windows(c.host), windows(c.image)); got != c.fits {
			t.Errorf("%s on %s: %t, want %t", c.image, c.host, got, c.fits)
		}
	}
}

// Nothing but the build is in the way: that is another refusal than a wrong
// system or processor.
func TestOtherBuild(t *testing.T) {
	host := windows("10.0.20348")
	arm := windows("10.0.26100")
	arm.Arch = "arm64"
	linux := messages.Platform{OS: messages.Linux, Arch: "amd64"}
	for name, c := range map[string]struct {
		images []messages.Platform
		want   bool
	}{
		"newer": {[]messages.Platform{windows("10.0.26100")}, true}, "newer among others": {[]messages.Platform{linux, windows("10.0.26100")}, true},
		"another processor": {[]messages.Platform{arm}, false}, "another system": {[]messages.Platform{linux}, false},
		"it fits": {[]messages.Platform{windows("10.0.20348.1")}, false}, "none": {nil, false},
	} {
		if got := OtherBuild(host, c.images...); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
	if OtherBuild(linux, windows("10.0.26100")) {
		t.Error("a Linux host is refused for the build of Windows")
	}
}
