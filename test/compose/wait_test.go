package compose_test

import (
	"context"
	"testing"
	"time"
)

// patience is how long anything here may take before it counts as hung. It is
// long, since nothing waits for it but a test that fails.
const patience = 90 * time.Second

// eventually waits until a condition holds; the text says how things stand.
func eventually(t *testing.T, what string, holds func() (bool, string)) {
	t.Helper()
	if state, ok := comesTrue(patience, holds); !ok {
		t.Fatalf("it never came true within %v that %s: %s", patience, what, state)
	}
}

// comesTrue waits for a condition for so long, and says whether it came true.
func comesTrue(limit time.Duration, holds func() (bool, string)) (state string, ok bool) {
	for late := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		if ok, state = holds(); ok {
			return state, true
		}
		if time.Now().After(late) {
			return state, false
		}
	}
}

// within is a context that ends after so long, or with the test.
func (f *fleet) within(limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(f.t.Context(), limit)
	context.AfterFunc(ctx, cancel)
	return ctx
}
