package testenv

import (
	"fmt"
	"os"
	"testing"
)

// leaveOut ends the test: skipped and noted, or failed in CI.
func leaveOut(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("a test must not be left out in CI: %s", reason)
	}
	if err := note(os.Getenv("SHUNT_LEFT_OUT"), t.Name()+": "+reason); err != nil {
		t.Fatalf("noting that a test is left out: %v", err)
	}
	t.Skip(reason)
}

// note appends a line to the file, if there is one. One write with O_APPEND
// keeps the lines of test programs that run side by side apart.
func note(file, line string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, line); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
