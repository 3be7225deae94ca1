package runhcs

import (
	"slices"
	"strconv"
	"testing"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func mustSpec(t *testing.T, c Container) *specs.Spec {
	t.Helper()
	c.Escape = strconv.Quote
	s, err := Spec(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The shim refuses a spec and options that do not agree about Hyper-V.
func TestIsolation(t *testing.T) {
	for isolation, hyperV := range map[messages.Isolation]bool{
		"": false, messages.IsolationAuto: false, messages.IsolationProcess: false, messages.IsolationHyperV: true,
	} {
		s := mustSpec(t, Container{Spec: &messages.Spec{Args: []string{"x"}, Isolation: isolation}})
		o := Options(isolation)
		if (s.Windows.HyperV != nil) != hyperV || (o.SandboxIsolation == options.Options_HYPERVISOR) != hyperV || o.ScaleCpuLimitsToSandbox != hyperV {
			t.Errorf("isolation %q: spec %+v, options %v", isolation, s.Windows.HyperV, o)
		}
		if s.Annotations[annotations.DisableHostProcessContainer] != "true" {
			t.Errorf("isolation %q: HostProcess is not denied: %v", isolation, s.Annotations)
		}
	}
}

func TestProgram(t *testing.T) {
	built := ocispec.ImageConfig{Entrypoint: []string{`cmd /c "a b"`}, Cmd: []string{"c d"}, ArgsEscaped: true} //nolint:staticcheck // what is tested
	plain := ocispec.ImageConfig{Entrypoint: []string{"cmd"}, Cmd: []string{"/c", "dir"}}
	for name, c := range map[string]struct {
		spec messages.Spec
		img  ocispec.ImageConfig
		args []string
		line string
	}{
		"the image's":                {img: plain, args: []string{"cmd", "/c", "dir"}},
		"the image's with arguments": {spec: messages.Spec{Args: []string{"/c", "ver"}}, img: plain, args: []string{"cmd", "/c", "ver"}},
		"the spec's":                 {spec: messages.Spec{Entrypoint: []string{"ping"}}, img: plain, args: []string{"ping"}},
		"a line":                     {img: built, line: `cmd /c "a b" "c d"`},
		"a line with arguments":      {spec: messages.Spec{Args: []string{"e f"}}, img: built, line: `cmd /c "a b" "e f"`},
		"the spec's over a line":     {spec: messages.Spec{Entrypoint: []string{"ping", "a b"}}, img: built, args: []string{"ping", "a b"}},
		"arguments over a line": {
			spec: messages.Spec{Args: []string{"ping", "a b"}}, args: []string{"ping", "a b"},
			img: ocispec.ImageConfig{Cmd: built.Entrypoint, ArgsEscaped: true}, //nolint:staticcheck // what is tested
		},
	} {
		p := mustSpec(t, Container{Spec: &c.spec, Image: c.img}).Process
		if !slices.Equal(p.Args, c.args) || p.CommandLine != c.line {
			t.Errorf("%s: %q and %q, want %q and %q", name, p.Args, p.CommandLine, c.args, c.line)
		}
	}
	if _, err := Spec(Container{Spec: &messages.Spec{}}); !errdefs.IsInvalidArgument(err) {
		t.Errorf("no program: %v, want InvalidArgument", err)
	}
}

func TestSurroundings(t *testing.T) {
	p := mustSpec(t, Container{
		Spec:  &messages.Spec{Args: []string{"x"}, Env: map[string]string{"PATH": `C:\b`, "new": "1"}, User: "ContainerUser"},
		Image: ocispec.ImageConfig{Env: []string{`Path=C:\a`, "kept=2"}, WorkingDir: "/app/", User: "ContainerAdministrator"},
	}).Process
	if want := []string{"kept=2", `PATH=C:\b`, "new=1"}; !slices.Equal(p.Env, want) {
		t.Errorf("the environment is %q, want %q", p.Env, want)
	}
	if p.Cwd != `C:\app` || p.User.Username != "ContainerUser" {
		t.Errorf("it runs in %q as %q", p.Cwd, p.User.Username)
	}
}

func TestPaths(t *testing.T) {
	for in, want := range map[string]string{
		"/data": `C:\data`, `C:\data\`: `C:\data`, "c:/data/x": `c:\data\x`, `C:\`: `C:\`, `\\.\pipe\x`: `\\.\pipe\x`,
	} {
		if got := Path(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	m := Mount(`D:\in`, "/in", true)
	if m.Type != "" || m.Destination != `C:\in` || !slices.Equal(m.Options, []string{"ro"}) {
		t.Errorf("a mount is %+v", m)
	}
}

func TestNamespaceOfAStart(t *testing.T) {
	s := mustSpec(t, Container{Spec: &messages.Spec{Args: []string{"x"}}})
	SetNamespace(s, "guid")
	if s.Windows.Network == nil || s.Windows.Network.NetworkNamespace != "guid" {
		t.Errorf("the network is %+v", s.Windows.Network)
	}
	if SetNamespace(s, ""); s.Windows.Network != nil {
		t.Errorf("without a network it is %+v", s.Windows.Network)
	}
}
