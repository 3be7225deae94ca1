package worker

import "testing"

// What comes while the worker stops neither begins nor disturbs the wait.
func TestNothingBeginsInAClosedGroup(t *testing.T) {
	var g group
	release, late := make(chan struct{}), false
	g.Go(func() {
		<-release
		g.Go(func() { late = true }) // of what was begun before
	})
	closed := make(chan struct{})
	go func() { defer close(closed); g.Wait() }()
	for open := true; open; {
		g.mu.Lock()
		open = !g.closed
		g.mu.Unlock()
	}
	close(release)
	<-closed
	g.Wait()
	if late {
		t.Error("something was begun in a group that is waited for")
	}
}
