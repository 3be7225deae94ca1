package membus

import "testing"

func TestPatternMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, subject string
		want             bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "a.b", false}, {"a.b", "a", false},
		{"a.*", "a.b", true}, {"a.*", "a", false}, {"a.*", "a.b.c", false}, {"*.b", "a.b", true},
		{"a.>", "a", false}, {"a.>", "a.b", true}, {"a.>", "a.b.c", true}, {">", "a", true},
		{"*.*.c", "a.b.c", true}, {"*", "a.b", false}, {"a.*.>", "a.b", false}, {"a.*.>", "a.b.c.d", true},
	} {
		if got := newPattern(test.pattern).matches(test.subject); got != test.want {
			t.Errorf("%q matches %q: %v, want %v", test.pattern, test.subject, got, test.want)
		}
	}
}

func TestPatternOverlaps(t *testing.T) {
	for _, test := range []struct {
		one, other string
		want       bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a.*", "*.b", true}, {"a.*", "b.*", false}, {"a.*", "a.*.*", false},
		{"a.>", "a.b.c", true}, {"a.>", "a", false}, {">", "a", true}, {"a.*.c", "a.b.>", true}, {"a.b.>", "a.b", false},
	} {
		for _, pair := range [][2]string{{test.one, test.other}, {test.other, test.one}} {
			if got := newPattern(pair[0]).overlaps(newPattern(pair[1])); got != test.want {
				t.Errorf("%q overlaps %q: %v, want %v", pair[0], pair[1], got, test.want)
			}
		}
	}
}

func TestCheckSubject(t *testing.T) {
	for subject, want := range map[string][2]bool{ // to listen, to send
		"a": {true, true}, "a.b": {true, true}, "a.*": {true, false}, "a.>": {true, false},
		"": {false, false}, "a..b": {false, false}, ".a": {false, false}, "a b": {false, false}, "a.>.b": {false, false},
	} {
		if got := [2]bool{checkSubject(subject, true) == nil, checkSubject(subject, false) == nil}; got != want {
			t.Errorf("%q is good to listen and to send: %v, want %v", subject, got, want)
		}
	}
}
