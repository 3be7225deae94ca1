package runtimetest

import (
	"slices"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func rowOf(t *testing.T, name string) row {
	t.Helper()
	i := slices.IndexFunc(matrix(), func(r row) bool { return r.name() == name })
	if i < 0 {
		t.Fatalf("the matrix has no row %s", name)
	}
	return matrix()[i]
}

// TestExplained shows what the order of concurrent calls explains, and what not.
func TestExplained(t *testing.T) {
	const refused, missing = messages.CodeFailedPrecondition, messages.CodeNotFound
	type call struct {
		name         string
		code         messages.Code
		began, ended int64
	}
	for _, c := range []struct {
		what   string
		from   place
		calls  []call
		stands place
		want   bool
	}{
		{"one of two starts wins", created, []call{{"Start", "", 1, 4}, {"Start", refused, 2, 3}}, running, true},
		{"both starts win", created, []call{{"Start", "", 1, 4}, {"Start", "", 2, 3}}, running, false},
		{"no start wins", created, []call{{"Start", refused, 1, 4}, {"Start", refused, 2, 3}}, created, false},
		{"the winner was not the first", created, []call{{"Start", refused, 1, 2}, {"Start", "", 3, 4}}, running, false},
		{"a start and nothing runs", created, []call{{"Start", "", 1, 2}}, created, false},
		{"a stop before the start", created, []call{{"Start", "", 1, 4}, {"Stop", "", 2, 3}}, running, true},
		{"a stop after the start", created, []call{{"Start", "", 1, 4}, {"Stop", "", 2, 3}}, exited, true},
		{"a stop that began after the start", created, []call{{"Start", "", 1, 2}, {"Stop", "", 3, 4}}, running, false},
		{"killed twice", running, []call{{"Kill", "", 1, 4}, {"Kill", "", 2, 3}}, exited, true},
		{"killed and it comes back", running, []call{{"Kill", "", 1, 2}}, created, false},
		{"removed twice", running, []call{{"Remove_by_force", "", 1, 4}, {"Remove_by_force", "", 2, 3}}, absent, false},
		{"removed and made again", running, []call{{"Remove_by_force", "", 1, 4}, {"Create", "", 2, 3}, {"Rename", missing, 2, 5}}, created, true},
		{"ended by one removal, removed by the other", running, []call{{"Remove_by_force", missing, 1, 4}, {"Remove", "", 2, 3}}, absent, true},
		{"ended by a removal that was over", running, []call{{"Remove_by_force", missing, 1, 2}, {"Remove", "", 3, 4}}, absent, false},
		{"ended by a removal that had not begun", running, []call{{"Remove", "", 1, 2}, {"Remove_by_force", missing, 3, 4}}, absent, false},
		{"paused, killed, and let go on", running, []call{{"Pause", "", 1, 6}, {"Kill", "", 2, 5}, {"Unpause", "", 3, 4}}, exited, true},
		{"an error that nothing allows", running, []call{{"Stop", messages.CodeUnknown, 1, 2}}, exited, false},
	} {
		var all []happening
		for _, call := range c.calls {
			all = append(all, happening{rowOf(t, call.name), call.code, call.began, call.ended})
		}
		if got := explained(c.from, all, c.stands); got != c.want {
			t.Errorf("%s: explained is %v, want %v", c.what, got, c.want)
		}
	}
}
