package testenv

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/shunt-fleet/shunt/internal/toybox"
)

// Toybox is the path of the images' program for this machine's architecture:
// the one in SHUNT_BIN, else one that is built for this test run.
func Toybox(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("SHUNT_BIN"); dir != "" {
		if path, err := toybox.Find(dir); err == nil {
			return path
		}
	}
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "toybox")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// built compiles the program once for all tests of a package. It keeps the
// bytes and no file, because no single test could say when to remove it.
var built = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "toybox-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path, err := toybox.Build(context.Background(), dir, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
