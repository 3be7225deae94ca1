package runtimetest

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ours is in the stack of every goroutine that a Runtime of this project has
// started. What a library keeps for its connections is that library's matter.
const ours = "created by github.com/shunt-fleet/shunt/pkg/runtime"

// checkLeaks asserts, when all cases are over and their containers are gone,
// that no goroutine is left of them.
func checkLeaks(t *testing.T) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), leavingTime)
		defer cancel()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var left []string
			for id, stack := range goroutines() {
				if _, was := before[id]; !was {
					left = append(left, stack)
				}
			}
			if len(left) == 0 {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				t.Errorf("%d goroutines are left of the cases, the first of them:\n%s", len(left), left[0])
				return
			}
		}
	})
}

// leavingTime bounds how long a goroutine may take to see that its work is over.
const leavingTime = 5 * time.Second

// goroutines are the stacks of those that are ours, by their number.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	all := map[string]string{}
	for stack := range bytes.SplitSeq(buf, []byte("\n\n")) {
		if id, rest, ok := strings.Cut(strings.TrimPrefix(string(stack), "goroutine "), " "); ok && strings.Contains(rest, ours) {
			all[id] = string(stack)
		}
	}
	return all
}
