package testenv

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Debian needs apt-get and dpkg-deb, with which images are made of software
// that nobody here wrote, and that apt knows what packages there are.
func Debian(t testing.TB) {
	t.Helper()
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			leaveOut(t, program+" is not there: this is not Debian")
		}
	}
	lists, err := exec.Command("apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Packages").Output()
	if err != nil {
		t.Fatalf("ask apt-get for its lists: %v", err)
	}
	for list := range strings.Lines(string(lists)) {
		if _, err := os.Stat(strings.TrimSpace(list)); err == nil {
			return
		}
	}
	leaveOut(t, "apt has no lists of packages; apt-get update fetches them")
}
