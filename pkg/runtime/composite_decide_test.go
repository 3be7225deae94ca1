package runtime

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func platforms(t *testing.T, written string) (out []messages.Platform) {
	t.Helper()
	for _, s := range strings.Fields(written) {
		p, err := messages.ParsePlatform(s)
		if err != nil {
			if os, arch, ok := strings.Cut(s, "/"); ok { // a system that shunt does not know
				p, err = messages.Platform{OS: messages.OS(os), Arch: arch}, nil
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// ableOf reads a node: members apart by |, "away" for one that never answered,
// "away:linux/amd64" for one that ran that when it last did.
func ableOf(t *testing.T, node string) (out []ability) {
	t.Helper()
	names := []string{"primary", "delegate", "other"}
	for i, written := range strings.Split(node, "|") {
		a := ability{name: names[i]}
		if last, away := strings.CutPrefix(strings.TrimSpace(written), "away"); away {
			a.away = errors.New("the pipe is closed")
			last, a.seen = strings.CutPrefix(last, ":")
			a.last = platforms(t, last)
		} else {
			a.platforms = platforms(t, written)
		}
		out = append(out, a)
	}
	return out
}

func TestDecideChooses(t *testing.T) {
	const winNode = "windows(10.0.20348.2227)/amd64"
	for _, tc := range []struct {
		name, node, spec, made string
		member                 int
		as                     string // what it runs as
	}{
		{"spec alone", winNode + "|linux/amd64", "linux/amd64", "", 1, "linux/amd64"},
		{"spec against the image's word", winNode + "|linux/amd64", "linux/amd64", "windows/amd64", 1, "linux/amd64"},
		{"spec names the system, the image the rest", "linux/arm64|linux/amd64", "linux", "linux/amd64 windows/amd64", 1, "linux/amd64"},
		{"spec names the system, the member the rest", "linux/arm64 linux/amd64", "linux", "", 0, "linux/arm64"},
		{"image alone", winNode + "|linux/amd64", "", "linux/amd64", 1, "linux/amd64"},
		{"several would do: the primary", winNode + "|linux/amd64", "", "linux/amd64 windows/amd64", 0, "windows/amd64"},
		{"several would do: the member's preferred one", "linux/arm64 linux/amd64", "", "linux/amd64 linux/arm64", 0, "linux/arm64"},
		{"nothing known: the primary", winNode + "|linux/amd64", "", "", 0, ""},
		{"nothing known, delegate away", winNode + "|away", "", "", 0, ""},
		{"another revision of the build", winNode, "", "windows(10.0.20348.169)/amd64", 0, "windows(10.0.20348.169)/amd64"},
		{"the right build of several", winNode, "", "windows(10.0.17763.1)/amd64 windows(10.0.20348.1)/amd64", 0, "windows(10.0.20348.1)/amd64"},
		{"a known build before an unknown one", winNode, "", "windows/amd64 windows(10.0.20348.1)/amd64", 0, "windows(10.0.20348.1)/amd64"},
		{"the spec's build for an image that names none", winNode, "windows(10.0.20348)/amd64", "windows/amd64", 0, "windows(10.0.20348)/amd64"},
		{"a host that does not know its build", "windows/amd64", "", "windows(10.0.17763.1)/amd64", 0, "windows(10.0.17763.1)/amd64"},
		{"os.version means nothing on linux", "linux(6.1)/amd64", "", "linux(5.4)/amd64", 0, "linux(5.4)/amd64"},
		{"the primary is away, and another can", "away|linux/amd64", "", "linux/amd64", 1, "linux/amd64"},
		{"a third member", "darwin/arm64|linux/arm64|linux/amd64", "linux/amd64", "", 2, "linux/amd64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := demand{service: "web", image: "img", made: platforms(t, tc.made)}
			for _, p := range platforms(t, tc.spec) {
				d.spec = p
			}
			got, err := decide(d, ableOf(t, tc.node))
			if err != nil {
				t.Fatal(err)
			}
			var as messages.Platform
			for _, p := range platforms(t, tc.as) {
				as = p
			}
			if diff := cmp.Diff(choice{tc.member, as}, got, cmp.AllowUnexported(choice{})); diff != "" {
				t.Errorf("choice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecideRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, node, spec, made string
		os                     messages.OS
		arch                   string
		code                   messages.RefuseCode
		says, saysNot          []string
	}{
		{
			"linux spec on windows", "windows(10.0.20348)/amd64", "linux/amd64", "",
			messages.Linux, "amd64", messages.RefusePlatform,
			[]string{"img", "asked for as linux/amd64", "this node runs windows(10.0.20348)/amd64", "--install-wsl yes", "Linux peer"}, nil,
		},
		{
			"linux image on windows", "windows(10.0.20348)/amd64", "", "linux/amd64 linux/arm64",
			messages.Linux, "", messages.RefusePlatform,
			[]string{"img", "made for linux/amd64, linux/arm64", "--install-wsl", "Linux peer"}, []string{"architecture differs"},
		},
		{
			"linux of another architecture on windows", "windows(10.0.20348)/amd64", "", "linux/arm64",
			messages.Linux, "arm64", messages.RefusePlatform,
			[]string{"--install-wsl yes` on this node would not do", "a Linux peer with arm64"}, []string{"enable `--install-wsl"},
		},
		{
			"linux on macOS", "darwin/arm64", "", "linux/arm64",
			messages.Linux, "arm64", messages.RefusePlatform,
			[]string{"--delegate 'limactl shell", "Linux peer"}, []string{"wsl"},
		},
		{
			"macOS on linux", "linux/amd64", "darwin/arm64", "",
			messages.Darwin, "arm64", messages.RefusePlatform,
			[]string{"a macOS peer with arm64"}, []string{"wsl", "--delegate"},
		},
		{
			"windows on linux", "linux/amd64", "", "windows(10.0.20348.1)/amd64",
			messages.Windows, "amd64", messages.RefusePlatform,
			[]string{"a Windows peer with amd64 and build 10.0.20348"}, []string{"wsl", "--delegate"},
		},
		{
			"architecture", "linux/amd64", "", "linux/arm64",
			messages.Linux, "arm64", messages.RefusePlatform,
			[]string{"linux/arm64", "the architecture differs", "a Linux peer with arm64"}, []string{"wsl"},
		},
		{
			"architecture of the delegate", "windows/amd64|linux/amd64", "linux/arm64", "",
			messages.Linux, "arm64", messages.RefusePlatform,
			[]string{"this node runs windows/amd64, linux/amd64", "the architecture differs"}, []string{"wsl"},
		},
		{
			"windows build", "windows(10.0.20348.2227)/amd64", "", "windows(10.0.17763.1)/amd64",
			messages.Windows, "amd64", messages.RefuseOSVersion,
			[]string{"windows(10.0.17763.1)/amd64", "windows(10.0.20348.2227)/amd64", "build differs", "build 10.0.17763"}, []string{"wsl"},
		},
		{
			"build of the image under a spec without", "windows(10.0.20348.2227)/amd64", "windows/amd64", "windows(10.0.26100.1)/amd64 linux/amd64",
			messages.Windows, "amd64", messages.RefuseOSVersion,
			[]string{"build 10.0.26100"}, []string{"Linux"},
		},
		{
			"several systems, none here", "darwin/arm64", "", "windows/amd64 linux/amd64",
			"", "amd64", messages.RefusePlatform,
			[]string{"limactl", "a Windows peer with amd64 or a Linux peer with amd64"}, nil,
		},
		{
			"a system nobody knows is left out of what would do", "windows/amd64", "", "linux/arm64 freebsd/amd64",
			messages.Linux, "arm64", messages.RefusePlatform,
			[]string{"made for linux/arm64, freebsd/amd64"}, nil,
		},
		{
			"a member that is away could not either", "windows/amd64|away:linux/amd64", "", "linux/arm64",
			messages.Linux, "arm64", messages.RefusePlatform,
			[]string{"linux/arm64"}, nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := demand{service: "web", image: "img", made: platforms(t, tc.made)}
			for _, p := range platforms(t, tc.spec) {
				d.spec = p
			}
			_, err := decide(d, ableOf(t, tc.node))
			v, ok := errors.AsType[*RouteToPeerError](err)
			if !ok {
				t.Fatalf("got %v, want a RouteToPeerError", err)
			}
			if v.Service != "web" || v.RequiredOS != tc.os || v.RequiredArch != tc.arch || v.Code != tc.code {
				t.Errorf("got %+v, want os %q, arch %q, code %q", v, tc.os, tc.arch, tc.code)
			}
			checkSays(t, v.Reason, tc.says, tc.saysNot)
			out := messages.Outcome{V: 1, Job: "j", Node: "n", Attempt: 1, Seq: 1, Status: messages.StatusRouteToPeer, Route: &messages.RouteToPeer{
				Service: v.Service, RequiredOS: v.RequiredOS, RequiredArch: v.RequiredArch, Code: v.Code, Reason: v.Reason, Platforms: v.Platforms,
			}}
			if err := out.Validate(); err != nil {
				t.Errorf("the verdict cannot travel: %v", err)
			}
			if len(v.Platforms) == 0 {
				t.Error("the verdict names no platform that would do")
			}
		})
	}
}

func checkSays(t *testing.T, text string, says, saysNot []string) {
	t.Helper()
	for _, s := range says {
		if !strings.Contains(text, s) {
			t.Errorf("%q does not say %q", text, s)
		}
	}
	for _, s := range saysNot {
		if strings.Contains(text, s) {
			t.Errorf("%q says %q", text, s)
		}
	}
}

func TestDecideErrs(t *testing.T) {
	for _, tc := range []struct {
		name, node, made string
		is               func(error) bool
		says             string
	}{
		{"the member that may is away", "windows/amd64|away", "linux/amd64", errdefs.IsUnavailable, "the delegate runtime is away (the pipe is closed)"},
		{"the member that could is away", "windows/amd64|away:linux/amd64", "linux/amd64", errdefs.IsUnavailable, "linux/amd64"},
		{"nothing known, primary away", "away|linux/amd64", "", errdefs.IsUnavailable, "the primary runtime"},
		{"made for what no node runs", "windows/amd64|linux/amd64", "freebsd/amd64", errdefs.IsFailedPrecondition, "freebsd/amd64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := decide(demand{image: "img", made: platforms(t, tc.made)}, ableOf(t, tc.node))
			if !tc.is(err) {
				t.Fatalf("got %v, of class %s", err, CodeOf(err))
			}
			if _, ok := errors.AsType[*RouteToPeerError](err); ok {
				t.Errorf("got a verdict (%v), want an error", err)
			}
			checkSays(t, err.Error(), []string{tc.says, "img"}, nil)
		})
	}
}

// An image with very many platforms still gives a reason that can travel.
func TestVerdictIsBounded(t *testing.T) {
	var made []messages.Platform
	for range 256 {
		made = append(made, messages.Platform{OS: messages.Windows, Arch: strings.Repeat("a", 32), OSVersion: strings.Repeat("1", len(made)%60+1)})
	}
	_, err := decide(demand{image: strings.Repeat("i", 2000), made: made}, ableOf(t, "linux/amd64"))
	v, ok := errors.AsType[*RouteToPeerError](err)
	if !ok {
		t.Fatal(err)
	}
	if len(v.Reason) > messages.MaxReasonLength {
		t.Errorf("the reason has %d bytes", len(v.Reason))
	}
	if len(v.Platforms) != 256 {
		t.Errorf("the verdict names %d platforms, want all 256", len(v.Platforms))
	}
}
