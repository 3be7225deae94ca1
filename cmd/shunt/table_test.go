package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func TestTablesFitTheTerminal(t *testing.T) {
	rows := [][]string{
		{"JOB", "STATE", "REASON"},
		{"web-42", "pending", "no node can take it; linux-1: label disk is hdd (wanted: ssd)"},
		{"a-job-with-a-rather-long-name-indeed", "running", ""},
	}
	for _, c := range []struct {
		fit  int
		want string
	}{
		{0, "JOB                                   STATE    REASON\n" +
			"web-42                                pending  no node can take it; linux-1: label disk is hdd (wanted: ssd)\n" +
			"a-job-with-a-rather-long-name-indeed  running  \n"},
		{50, "JOB                 STATE    REASON\n" +
			"web-42              pending  no node can take it;…\n" +
			"a-job-with-a-rat…   running  \n"},
	} {
		var out bytes.Buffer
		tab := newTable(&out, nil)
		tab.fit, tab.rows = c.fit, append([][]string(nil), rows...)
		if err := tab.flush(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if c.fit > 0 && utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > c.fit {
				t.Errorf("%q is longer than %d", line, c.fit)
			}
		}
		if c.fit == 0 && out.String() != c.want {
			t.Errorf("got\n%s\nwant\n%s", &out, c.want)
		}
		if c.fit > 0 && (!strings.Contains(out.String(), "…") || !strings.Contains(out.String(), "running")) {
			t.Errorf("got\n%s", &out)
		}
	}
	if got := fitted([]int{14, 9, 7, 7, 3, 60}, 40); got[0]+got[1]+got[2]+got[3]+got[4]+got[5]+5*2 > 40 {
		t.Errorf("the columns of shunt jobs are %v wide: more than 40", got)
	}
	for _, width := range []int{1, 10, 33} { // too narrow for the columns: nothing but ugly
		tab := newTable(&bytes.Buffer{}, nil)
		tab.fit, tab.rows = width, rows
		if err := tab.flush(); err != nil {
			t.Fatal(err)
		}
	}
}

// What is there to be read is not cut: it goes on below, in its column.
func TestReasonsAreWrapped(t *testing.T) {
	var out bytes.Buffer
	tab := newTable(&out, nil)
	tab.fit, tab.prose = 40, true
	tab.rows = [][]string{
		{"NODE", "VERDICT", "WHY"},
		{"linux-1", "chosen", "score 34.2"},
		{"win-1", "platform", "needs linux/amd64, runs windows(10.0.20348)/amd64"},
	}
	if err := tab.flush(); err != nil {
		t.Fatal(err)
	}
	want := "NODE     VERDICT   WHY\n" +
		"linux-1  chosen    score 34.2\n" +
		"win-1    platform  needs linux/amd64,\n" +
		"                   runs\n" +
		"                   windows(10.0.20348)/a\n" +
		"                   md64\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

// numbers is a long sequence, and how far it was read.
func numbers(n int, read *int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if *read = i + 1; !yield(i, nil) {
				return
			}
		}
	}
}

// firstWrite notes how far the sequence was read when something was printed.
type firstWrite struct {
	read *int
	at   int
	n    int
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.n == 0 {
		w.at = *w.read
	}
	w.n += len(p)
	return len(p), nil
}

// The first page of a long list is printed at once, and no more of it is kept.
func TestListsAreNotGathered(t *testing.T) {
	const long = 1_000_000
	for _, form := range []string{"table", "json"} {
		read := 0
		out := &firstWrite{read: &read}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var most uint64
		items := func(yield func(int, error) bool) {
			for i, err := range numbers(long, &read) {
				if i%100_000 == 0 {
					runtime.GC()
					runtime.ReadMemStats(&after)
					most = max(most, after.HeapAlloc)
				}
				if !yield(i, err) {
					return
				}
			}
		}
		a := &app{out: out, output: form}
		err := list(a, []string{"N", "TEXT"}, items, func(i *int) []string { return []string{fmt.Sprint(*i), "some text"} })
		if err != nil || read != long {
			t.Fatalf("%d were read, %v", read, err)
		}
		if out.at > pageRows {
			t.Errorf("%s: %d were read before anything was printed", form, out.at)
		}
		if grown := int64(most) - int64(before.HeapAlloc); grown > 4<<20 {
			t.Errorf("%s: %d bytes are kept", form, grown)
		}
	}
}

func TestAListThatBreaksOff(t *testing.T) {
	broken := errors.New("broken")
	items := func(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, broken) }
	var out bytes.Buffer
	err := list(&app{out: &out, output: "table"}, []string{"N"}, items, func(i *int) []string { return []string{fmt.Sprint(*i)} })
	if !errors.Is(err, broken) || out.String() != "N\n1\n" {
		t.Errorf("%v after %q", err, &out)
	}
	out.Reset()
	err = list(&app{out: &out, output: "json"}, nil, items, nil)
	if !errors.Is(err, broken) || json.Valid(out.Bytes()) {
		t.Errorf("half a list is printed as a whole one: %v after %q", err, &out)
	}
}

func TestPrefixedLines(t *testing.T) {
	var out bytes.Buffer
	var mu sync.Mutex
	p := newPrefixed(&out, &mu, "web-rep-0")
	for _, piece := range []string{"one\ntw", "o\n", "", "three"} {
		if n, err := p.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	p.rest()
	if want := "web-rep-0 | one\nweb-rep-0 | two\nweb-rep-0 | three\n"; out.String() != want {
		t.Errorf("got %q", &out)
	}
	out.Reset()
	if _, err := p.Write(bytes.Repeat([]byte("x"), longestLine+1)); err != nil || out.Len() == 0 {
		t.Errorf("a line without an end is kept: %d bytes, %v", out.Len(), err)
	}
}

func TestSizesForPeople(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 1 << 62: "4.0 EiB"} {
		if got := mebi(bytes); got != want {
			t.Errorf("%d: %q, want %q", bytes, got, want)
		}
	}
}
