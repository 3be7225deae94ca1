package logger

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestAWatchThatCannotBeHad: where the kernel gives no more watches, a reader
// goes on looking.
func TestAWatchThatCannotBeHad(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	_, refused := unix.InotifyInit1(unix.IN_CLOEXEC)
	w, err := Watch("/")
	if again := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); again != nil {
		t.Fatal(again)
	}
	if refused != unix.EMFILE || err != nil {
		t.Fatalf("the kernel says %v, and Watch %v", refused, err)
	}
	if err := w.Wait(t.Context(), nil); err != nil {
		t.Errorf("nobody tells, and the wait ends with %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
