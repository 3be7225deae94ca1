package containerd

import (
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestOnlyAContainersOwnSysctls(t *testing.T) {
	for _, c := range []struct{ name, network, refused string }{
		{"net.core.somaxconn", "", ""},
		{"net/ipv4/conf/eth0.1/forwarding", "none", ""},
		{"net.core.somaxconn", "host", "network host"},
		{"net.core.somaxconn", "container:web", "container:web"},
		{"kernel.shmmax", "host", ""},
		{"kernel/sem", "", ""},
		{"fs.mqueue.msg_max", "", ""},
		{"kernel.hostname", "", "spec.hostname"},
		{"kernel.panic", "", "the machine"},
		{"kernel.shmmaxx", "", "the machine"},
		{"vm.swappiness", "none", "the machine"},
		{"fs.file-max", "", "the machine"},
	} {
		err := checkSysctls(&messages.Spec{Network: c.network, Sysctls: map[string]string{c.name: "1"}})
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s on network %q: %v", c.name, c.network, err)
		case c.refused != "" && (!errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "spec.sysctls."+c.name) || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s on network %q: %v, want InvalidArgument that names it and %q", c.name, c.network, err, c.refused)
		}
	}
}
