package testenv

import (
	"os/exec"
	"testing"
)

// Debian needs apt-get and dpkg-deb, with which images are made of software
// that nobody here wrote. Its lists have to be there (apt-get update).
func Debian(t testing.TB) {
	t.Helper()
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			leaveOut(t, program+" is not there: this is not Debian")
		}
	}
}
