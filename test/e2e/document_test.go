package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// document is JSON as a stranger reads it: by the names of the contract.
type document struct{ value any }

func parse(t *testing.T, text string) document {
	t.Helper()
	var d document
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&d.value); err != nil {
		t.Fatalf("%q is not JSON: %v", text, err)
	}
	return d
}

// at is what a path such as "outcome.result.exit_code" or "nodes.0.node" leads
// to, as text; "" when there is nothing.
func (d document) at(path string) string {
	v := d.value
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(in) {
				return ""
			}
			v = in[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// list is the array under a key.
func (d document) list(key string) []document {
	object, _ := d.value.(map[string]any)
	values, _ := object[key].([]any)
	var all []document
	for _, v := range values {
		all = append(all, document{v})
	}
	return all
}

func (d document) String() string {
	data, err := json.MarshalIndent(d.value, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// expect compares what paths lead to. A value that begins with "~" has to be
// part of it.
func expect(t *testing.T, what string, d document, want map[string]string) {
	t.Helper()
	wrong := false
	for _, path := range slices.Sorted(maps.Keys(want)) {
		got, wanted := d.at(path), want[path]
		part, in := strings.CutPrefix(wanted, "~")
		if in && strings.Contains(got, part) || !in && got == wanted {
			continue
		}
		t.Errorf("%s: %s is %q, want %q", what, path, got, wanted)
		wrong = true
	}
	if wrong {
		t.Fatalf("%s is\n%s", what, d)
	}
}

// eventually looks again until the condition holds; look says what it saw.
func eventually(t *testing.T, what string, look func() (ok bool, saw string)) {
	t.Helper()
	late := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		ok, saw := look()
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("%s did not come true within %v; last: %s", what, patience, saw)
		}
	}
}
