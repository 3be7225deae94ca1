// Package testenv finds the real parts that a test needs: root, containerd with
// its shim and runc, the NATS command line, the built programs. Only tests
// import it, and only those that need such parts: the Makefile runs these
// packages on their own, with the environment that is read here.
//
//	SHUNT_TOOLS     directory with containerd, containerd-shim-runc-v2 and runc
//	SHUNT_NATS_CLI  path of the nats command line
//	SHUNT_REGISTRY  path of the distribution registry
//	SHUNT_BIN       directory with worker, placer, shunt and toybox-linux-ARCH
//
// Where a part is missing, the test is skipped with the reason, which also goes
// to the file SHUNT_LEFT_OUT, so that "make test" can list it. With CI=true the
// test fails instead: in CI nothing is left out.
package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Root needs Linux and root.
func Root(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" {
		leaveOut(t, "needs Linux, this is "+runtime.GOOS)
	}
	if uid := os.Geteuid(); uid != 0 {
		leaveOut(t, fmt.Sprintf("needs root, this is uid %d", uid))
	}
}

// Tools is the directory that holds containerd, its shim and runc, and the CNI
// plugins in its directory cni. They need
// root to be of any use, so it implies Root.
func Tools(t testing.TB) string {
	t.Helper()
	Root(t)
	return directory(t, "SHUNT_TOOLS", "make tools", "containerd", "containerd-shim-runc-v2", "runc",
		filepath.Join("cni", "bridge"), filepath.Join("cni", "host-local"), filepath.Join("cni", "portmap"))
}

// Bin is the directory that holds the built worker, placer and shunt.
func Bin(t testing.TB) string {
	t.Helper()
	return directory(t, "SHUNT_BIN", "make build", executable("worker"), executable("placer"), executable("shunt"))
}

// NatsCLI is the path of the nats command line.
func NatsCLI(t testing.TB) string {
	t.Helper()
	return file(t, "SHUNT_NATS_CLI", "make nats")
}

// Registry is the path of the distribution registry.
func Registry(t testing.TB) string {
	t.Helper()
	return file(t, "SHUNT_REGISTRY", "make registry")
}

// file reads a variable and checks that the program is there.
func file(t testing.TB, variable, remedy string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		leaveOut(t, fmt.Sprintf("%s is not set (%s builds it)", variable, remedy))
	}
	if _, err := os.Stat(path); err != nil {
		leaveOut(t, fmt.Sprintf("%s: %v (%s builds it)", variable, err, remedy))
	}
	return path
}

// Program is the path of a program that the machine has, such as node; remedy
// says how to get it.
func Program(t testing.TB, name, remedy string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		leaveOut(t, fmt.Sprintf("%v (%s)", err, remedy))
	}
	return path
}

// directory reads a variable and checks that the directory holds the programs.
func directory(t testing.TB, variable, remedy string, programs ...string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		leaveOut(t, fmt.Sprintf("%s is not set (%s builds what belongs there)", variable, remedy))
	}
	for _, program := range programs {
		if _, err := os.Stat(filepath.Join(dir, program)); err != nil {
			leaveOut(t, fmt.Sprintf("%s: %v (%s builds it)", variable, err, remedy))
		}
	}
	return dir
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
