package testenv

import "testing"

// Iptables needs the machine's packet filter, without which no port can be
// published and no container reaches beyond its machine.
func Iptables(t testing.TB) {
	t.Helper()
	for _, program := range []string{"iptables", "iptables-save"} {
		Program(t, program, "on Debian: apt-get install iptables")
	}
}
