package placer

import (
	"fmt"
	"testing"
	"time"
)

func TestEveryJobHasOneOwnerAndFewChangeIt(t *testing.T) {
	three := []string{"p1", "p2", "p3"}
	const jobs = 3000
	count, moved := map[string]int{}, 0
	for i := range jobs {
		job := fmt.Sprintf("web-%d", i)
		before := owner(three, job)
		count[before]++
		if owner([]string{"p3", "p1", "p2"}, job) != before {
			t.Fatalf("%s: the order of the placers matters", job)
		}
		if after := owner([]string{"p1", "p3"}, job); before != "p2" && after != before {
			moved++
		}
	}
	for _, id := range three {
		if count[id] < jobs/4 || count[id] > jobs*5/12 {
			t.Errorf("%s looks after %d of %d", id, count[id], jobs)
		}
	}
	if moved != 0 {
		t.Errorf("%d jobs left a placer that stayed", moved)
	}
	if owner(nil, "web") != "" || owner([]string{"p1"}, "web") != "p1" {
		t.Error("without others it is not this one's")
	}
}

func TestWhoseTurnItIs(t *testing.T) {
	live := []string{"p1", "p2"}
	job := "web"
	for owner(live, job) != "p1" {
		job += "x"
	}
	for _, c := range []struct {
		self string
		idle bool
		want time.Duration
	}{{"p1", true, 0}, {"p1", false, 10 * time.Second}, {"p2", true, 30 * time.Second}, {"p2", false, 30 * time.Second}} {
		if got := (turns{self: c.self, live: live, slow: 10 * time.Second}).patience(job, c.idle); got != c.want {
			t.Errorf("%s, idle %v: waits %v, want %v", c.self, c.idle, got, c.want)
		}
	}
}
