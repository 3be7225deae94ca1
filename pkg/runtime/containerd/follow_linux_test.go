package containerd_test

import (
	"fmt"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// TestFollowOverRotations follows a log that is rotated many times meanwhile. A
// follower that is too slow misses lines; it never sees one twice, or out of
// order, and it comes to the last.
func TestFollowOverRotations(t *testing.T) {
	b := newBench(t)
	b.cfg.MaxLogBytes = 2 * logger.MaxPart
	b.reopen()
	const lines = 40_000 // some 500 KiB, sixteen times what a file holds
	id := b.create(b.spec("flood", fmt.Sprint(lines)))
	last := make(chan int, 1)
	go func() {
		seen := 0
		for e, err := range b.rt.Logs(b.ctx, id, runtime.LogOptions{Tail: -1, Follow: true}) {
			var line int
			if _, scanErr := fmt.Sscanf(string(e.Message), "line %d\n", &line); err != nil || scanErr != nil || line <= seen {
				t.Errorf("after line %d came %q, %v, %v", seen, e.Message, err, scanErr)
				break
			}
			seen = line
		}
		last <- seen
	}()
	b.must(b.rt.Start(b.ctx, id))
	b.wait(id)
	if got := <-last; got != lines {
		t.Errorf("the last line that was followed is %d, want %d", got, lines)
	}
}
