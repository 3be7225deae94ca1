package messages_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestFitOf(t *testing.T) {
	for _, c := range []struct {
		offer, want string
		fit         messages.Fit
	}{
		{"linux/amd64", "linux/amd64", messages.FitExact},
		{"linux/amd64", "linux", messages.FitExact},
		{"linux/amd64", "windows/amd64", messages.FitOtherOS},
		{"linux/amd64", "linux/arm64", messages.FitOtherArch},
		{"linux(6.1)/amd64", "linux(5.4)/amd64", messages.FitExact},
		{"windows/amd64", "windows(10.0.20348)/amd64", messages.FitUnknownBuild},
		{"windows(10.0.20348.2762)/amd64", "windows(10.0.20348.1)/amd64", messages.FitSameBuild},
		{"windows(10.0.20348.1)/amd64", "windows(10.0.20348.1)/amd64", messages.FitExact},
		{"windows(10.0.20348)/amd64", "windows(10.0.17763)/amd64", messages.FitOtherBuild},
		{"windows(10.0.20348)/amd64", "windows(10.0.20348)/arm64", messages.FitOtherArch},
	} {
		got := messages.FitOf(platform(t, c.offer), platform(t, c.want))
		if got != c.fit {
			t.Errorf("FitOf(%s, %s) = %d, want %d", c.offer, c.want, got, c.fit)
		}
		if ok := c.fit >= messages.FitUnknownBuild; got.OK() != ok {
			t.Errorf("FitOf(%s, %s).OK() = %t, want %t", c.offer, c.want, got.OK(), ok)
		}
	}
	if !messages.FitOf(platform(t, "linux/amd64"), messages.Platform{}).OK() {
		t.Error("no demand is not met")
	}
}

func TestWindowsBuild(t *testing.T) {
	for version, want := range map[string]string{
		"": "", "10": "10", "10.0": "10.0", "10.0.20348": "10.0.20348", "10.0.20348.": "10.0.20348",
		"10.0.20348.2762": "10.0.20348", "10.0.20348.2762.1": "10.0.20348", "...": "..",
	} {
		if got := messages.WindowsBuild(version); got != want {
			t.Errorf("WindowsBuild(%q) = %q, want %q", version, got, want)
		}
	}
	version := "10.0.20348.2762"
	if n := testing.AllocsPerRun(100, func() { _ = messages.WindowsBuild(version) }); n != 0 {
		t.Errorf("WindowsBuild allocates %v times", n)
	}
}

func platform(t *testing.T, s string) messages.Platform {
	t.Helper()
	p, err := messages.ParsePlatform(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
