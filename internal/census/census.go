// Package census counts what containers leave behind on a machine, for tests
// that nothing is leaked: one census before, one after, and the difference.
//
//	place := census.Place{Address: socket, Namespace: "shunt", Dirs: []string{stateDir, runDir}, CgroupParent: "/shunt/1"}
//	before, err := census.Take(ctx, place)
//	...
//	err = census.Settle(ctx, place, before) // waits: some things go a moment later
//
// It counts by looking and not by asking the code under test: containerd's own
// records, the mount table, the process table, the file system, cgroups,
// network links and namespaces. What it does not know of cannot be leaked
// unseen as long as it is in one of these places.
package census

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Place is where a runtime keeps its things.
type Place struct {
	Address   string // containerd's socket
	Namespace string // in containerd

	// Dirs are directories whose files are counted, with the mounts and the
	// processes that name them. Skip are paths below them that are not looked
	// into, such as the logs that outlive their containers on purpose.
	Dirs []string
	Skip []string

	CgroupParent string // "/shunt/1"; below it cgroups and processes are counted
	Bridge       string // what is connected to it, and the packet filter's rules for it; "": not counted
}

// Census is what there is, by kind. A thing that is there twice is in it twice.
type Census map[string][]string

// Take counts.
func Take(ctx context.Context, p Place) (Census, error) {
	c := Census{}
	if err := c.containerd(ctx, p); err != nil {
		return nil, fmt.Errorf("census: containerd: %w", err)
	}
	for _, count := range []func(Place) error{c.mounts, c.processes, c.files, c.cgroups, c.network} {
		if err := count(p); err != nil {
			return nil, fmt.Errorf("census: %w", err)
		}
	}
	for _, things := range c {
		slices.Sort(things)
	}
	return c, nil
}

func (c Census) add(kind string, things ...string) { c[kind] = append(c[kind], things...) }

// Diff is what one census has and an earlier one has not, and the other way
// round: "" when they are the same.
func (c Census) Diff(before Census) string {
	lines := c.more(before)
	for _, line := range before.more(c) {
		lines = append(lines, "-"+strings.TrimPrefix(line, "+"))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// more is what there is more of than in another census, one a line.
func (c Census) more(than Census) []string {
	var lines []string
	for kind, things := range c {
		for _, thing := range without(things, than[kind]) {
			lines = append(lines, fmt.Sprintf("+ %s %s", kind, thing))
		}
	}
	slices.Sort(lines)
	return lines
}

// without is what is in a more often than in b.
func without(a, b []string) []string {
	left := map[string]int{}
	for _, thing := range b {
		left[thing]++
	}
	var out []string
	for _, thing := range a {
		if left[thing]--; left[thing] < 0 {
			out = append(out, thing)
		}
	}
	return out
}

// Settle waits until the place is as it was before. When ctx ends first its
// error says what is different.
func Settle(ctx context.Context, p Place, before Census) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	diff := "it was not looked at yet"
	for {
		now, err := Take(ctx, p)
		if err == nil {
			if diff = now.Diff(before); diff == "" {
				return nil
			}
		} else if ctx.Err() == nil {
			diff = err.Error()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("census: it is not as it was before:\n%s", diff)
		case <-tick.C:
		}
	}
}
