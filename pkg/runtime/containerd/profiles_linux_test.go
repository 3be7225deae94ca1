package containerd

import (
	"errors"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestProfilesOfAMachine: which profiles a container gets, and what is said of
// those it does not. Few machines have AppArmor, so that is not asked of this one.
func TestProfilesOfAMachine(t *testing.T) {
	wrong := errors.New("it does not work")
	for name, c := range map[string]struct {
		seccomp  error // why there is none
		supports bool  // AppArmor
		load     error
		seccomps bool
		apparmor string
		says     []string
	}{
		"both":                              {nil, true, nil, true, apparmorProfile, nil},
		"no AppArmor, which is no lack":     {nil, false, wrong, true, "", nil},
		"AppArmor whose parser is not here": {nil, true, wrong, true, "", []string{"without an AppArmor profile: it does not work"}},
		"no seccomp":                        {wrong, true, nil, false, apparmorProfile, []string{"without a seccomp filter: it does not work"}},
		"neither":                           {wrong, true, wrong, false, "", []string{"without a seccomp filter", "without an AppArmor profile"}},
	} {
		var loaded string
		got := confinementOf(c.seccomp, c.supports, func(profile string) error { loaded = profile; return c.load })
		if len(got.lacks) != len(c.says) {
			t.Errorf("%s: it lacks %q, want %q", name, got.lacks, c.says)
		}
		for i, says := range c.says {
			if !strings.Contains(strings.Join(got.lacks, "\n"), says) {
				t.Errorf("%s: it lacks %q, want %q", name, got.lacks, c.says[i])
			}
		}
		if c.supports != (loaded == apparmorProfile) {
			t.Errorf("%s: the profile %q is loaded", name, loaded)
		}
		s := emptySpec()
		s.Process.Capabilities = &specs.LinuxCapabilities{}
		got.setProfiles(s, &messages.Spec{NoNewPrivileges: true})
		if s.Process.ApparmorProfile != c.apparmor || (s.Linux.Seccomp != nil) != c.seccomps || !s.Process.NoNewPrivileges {
			t.Errorf("%s: the profiles are %q and seccomp %v, want %q and %v", name, s.Process.ApparmorProfile, s.Linux.Seccomp != nil, c.apparmor, c.seccomps)
		}
		s = emptySpec()
		got.setProfiles(s, &messages.Spec{Privileged: true})
		if s.Process.ApparmorProfile != "" || s.Linux.Seccomp != nil {
			t.Errorf("%s: a privileged container has the profiles %q and %v", name, s.Process.ApparmorProfile, s.Linux.Seccomp)
		}
	}
}
