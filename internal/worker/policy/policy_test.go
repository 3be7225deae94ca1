package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/internal/worker/policy"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

const file = `
bind:
  - {path: /srv/shared}
  - path: /srv/data/
    access: rw
  - {path: 'C:\Data', access: rw}
devices: [/dev/fuse, "/dev/dri/*"]
cap_add: [net_admin, CAP_SYS_PTRACE]
host_network: false
sysctls: ["net.*"]
`

func bind(source string, readOnly bool) messages.Spec {
	return messages.Spec{Mounts: []messages.Mount{
		{Type: messages.MountVolume, Source: "v", Target: "/v"},
		{Type: messages.MountBind, Source: source, Target: "/m", ReadOnly: readOnly},
	}}
}

func TestRefuse(t *testing.T) {
	given, err := policy.Parse("policy.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	open, err := policy.Parse("policy.yaml", []byte("privileged: true\nbind: [{path: /}]\ncap_add: [ALL]"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		policy *policy.Policy
		spec   messages.Spec
		parts  []string // of the reason; none: allowed
	}{
		{"nothing asked", policy.Default(), messages.Spec{}, nil},
		{"bind by default", policy.Default(), bind("/srv", true), []string{"spec.mounts[1].source", "/srv (ro)", "allows none"}},
		{"device by default", policy.Default(), messages.Spec{Devices: []string{"/dev/fuse"}}, []string{"spec.devices[0]", "/dev/fuse", "none"}},
		{"privileged by default", policy.Default(), messages.Spec{Privileged: true}, []string{"spec.privileged", "true", "false"}},
		{"others by default", policy.Default(), messages.Spec{Network: "host", CapAdd: []string{"ALL"}, Sysctls: map[string]string{"net.x": "1"}}, nil},

		{"read-only", given, bind("/srv/shared", true), nil},
		{"below", given, bind("/srv/shared/a/b", true), nil},
		{"written to", given, bind("/srv/shared", false), []string{"/srv/shared (rw)", "/srv/shared (ro), /srv/data/ (rw)"}},
		{"beside", given, bind("/srv/shared2", true), []string{"/srv/shared2 (ro)"}},
		{"above", given, bind("/srv", true), []string{"/srv (ro)"}},
		{"unclean", given, bind("/srv//./shared/", true), nil},
		{"climbing", given, bind("/srv/shared/../secret", true), []string{"/srv/shared/../secret (ro)"}},
		{"read-write", given, bind("/srv/data/x", false), nil},
		{"windows", given, bind(`c:\data\X`, false), nil},
		{"windows beside", given, bind(`C:\Data2`, false), []string{`C:\Data2`}},
		{"everything", open, bind("/etc", true), nil},

		{"device", given, messages.Spec{Devices: []string{"/dev/fuse:/dev/f:r", "/dev/dri/card0"}}, nil},
		{"device below", given, messages.Spec{Devices: []string{"/dev/dri/by-path/x"}}, []string{"spec.devices[0]", "/dev/fuse, /dev/dri/*"}},
		{"device of the privileged", open, messages.Spec{Privileged: true, Devices: []string{"/dev/sda"}}, nil},
		{"capability", given, messages.Spec{CapAdd: []string{"NET_ADMIN", "CAP_SYS_PTRACE"}}, nil},
		{"other capability", given, messages.Spec{CapAdd: []string{"NET_ADMIN", "SYS_ADMIN"}}, []string{"spec.cap_add[1]", "SYS_ADMIN", "NET_ADMIN, SYS_PTRACE"}},
		{"all capabilities", given, messages.Spec{CapAdd: []string{"ALL"}}, []string{"spec.cap_add[0]", "ALL"}},
		{"host network", given, messages.Spec{Network: "host"}, []string{"spec.network", "host"}},
		{"default network", given, messages.Spec{Network: "default"}, nil},
		{"sysctl", given, messages.Spec{Sysctls: map[string]string{"net/core/somaxconn": "1", "net.x": "1"}}, nil},
		{"other sysctl", given, messages.Spec{Sysctls: map[string]string{"kernel.shmmax": "1"}}, []string{"spec.sysctls", "kernel.shmmax", "net.*"}},
	} {
		reason, ok := test.policy.Refuse(&test.spec)
		if ok != (len(test.parts) == 0) {
			t.Errorf("%s: allowed is %v, reason %q", test.name, ok, reason)
		}
		for _, part := range test.parts {
			if !strings.Contains(reason, part) {
				t.Errorf("%s: reason is %q, want %q in it", test.name, reason, part)
			}
		}
	}
}

func TestDescribe(t *testing.T) {
	p, err := policy.Parse("policy.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"bind": `/srv/shared (ro), /srv/data/ (rw), C:\Data (rw)`, "devices": "/dev/fuse, /dev/dri/*", "privileged": "false",
		"cap_add": "NET_ADMIN, SYS_PTRACE", "host_network": "false", "sysctls": "net.*",
	}
	if diff := cmp.Diff(want, p.Describe()); diff != "" {
		t.Error(diff)
	}
}

func TestParseErrorsSayWhereAndWhat(t *testing.T) {
	for text, parts := range map[string][]string{
		"bind: [":                               {"policy.yaml: ", "line 1", "want YAML"},
		"- bind":                                {"policy.yaml:1: ", "a list", "a mapping with bind"},
		"\nbinds: []":                           {"policy.yaml:2: binds:", "want bind, cap_add"},
		"privileged: true\nprivileged: true":    {"policy.yaml:2: privileged: it is there twice"},
		"privileged: maybe":                     {`policy.yaml:1: privileged: "maybe"`, "true or false"},
		"host_network: [no]":                    {`policy.yaml:1: host_network: "a list"`, "true or false"},
		"bind: /srv":                            {`policy.yaml:1: bind: "/srv"`, "a list"},
		"bind:\n- /srv":                         {`policy.yaml:2: bind[0]: "/srv"`, "path"},
		"bind:\n- {access: ro}":                 {`policy.yaml:2: bind[0].path`, "an absolute path"},
		"bind:\n- {path: srv}":                  {`policy.yaml:2: bind[0].path: "srv"`, "an absolute path"},
		"bind:\n- {path: /srv/../etc}":          {`policy.yaml:2: bind[0].path: "/srv/../etc"`, "without .."},
		"bind:\n- path: /srv\n  access: rwx":    {`policy.yaml:3: bind[0].access: "rwx"`, "ro or rw"},
		"bind:\n- {path: /srv, read_only: yes}": {"policy.yaml:2: bind[0].read_only: no such field", "path"},
		"devices: [fuse]":                       {`policy.yaml:1: devices[0]: "fuse"`, "/dev/fuse"},
		"devices:\n- /dev/[":                    {`policy.yaml:2: devices[0]: "/dev/["`, "a pattern"},
		"cap_add: [CAP-X]":                      {`policy.yaml:1: cap_add[0]: "CAP-X"`, "NET_ADMIN"},
		"sysctls: {}":                           {`policy.yaml:1: sysctls: "a mapping"`, "a list"},
	} {
		_, err := policy.Parse("policy.yaml", []byte(text))
		for _, part := range parts {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q: error is %v, want %q in it", text, err, part)
			}
		}
	}
	p, err := policy.Parse("policy.yaml", []byte("# nothing\n"))
	if diff := cmp.Diff(policy.Default(), p); err != nil || diff != "" {
		t.Errorf("an empty file: %v %s", err, diff)
	}
}
