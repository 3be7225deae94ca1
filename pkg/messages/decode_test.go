package messages_test

import (
	"errors"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A message whose first field says version 1 is read at once; one that says
// another version further down is refused all the same, like one that says it
// first.
func TestTheVersionCountsWhereverItStands(t *testing.T) {
	for _, data := range []string{
		`{"v":2,"reason":"r"}`,
		`{"reason":"r","v":2}`,
		`{"reason":"r"}`,
		`{"v":1,"reason":"r","v":2}`,
		`{"v":"1","reason":"r"}`,
	} {
		_, err := messages.Decode[messages.Cancel]([]byte(data))
		if e, ok := errors.AsType[*messages.Error](err); !ok || e.Code != messages.CodeUnsupportedVersion || e.Field != "v" {
			t.Errorf("%s: %v, want unsupported_version of v", data, err)
		}
	}
	for _, data := range []string{`{"v":1,"reason":"r"}`, `{"reason":"r","v":1}`, ` { "v" : 1 , "reason" : "r" } `} {
		if c, err := messages.Decode[messages.Cancel]([]byte(data)); err != nil || c.Reason != "r" {
			t.Errorf("%s: %+v, %v", data, c, err)
		}
	}
}
