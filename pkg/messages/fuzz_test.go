package messages_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// FuzzDecode feeds one decoder, chosen by its place in All, with anything. It
// must not panic; what it reads must come back the same when it is written and
// read again; what it refuses it must refuse with an error of the contract.
//
// One target with the decoder as an argument, and not one for each message,
// lets a find in a shared part (a Spec, a Page) spread to all that have it.
func FuzzDecode(f *testing.F) {
	all := messages.All()
	for i, d := range all {
		for _, g := range goldens(f) {
			if g.kind.Name == d.Name {
				data, err := os.ReadFile(g.file)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(uint8(i), data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		d := all[int(which)%len(all)]
		checkDecoder(t, d, data)
	})
}

func checkDecoder(t *testing.T, d messages.Descriptor, data []byte) {
	t.Helper()
	decoded, err := d.Decode(data)
	if err != nil {
		checkRefusal(t, err)
		return
	}
	once := encode(t, decoded)
	again, err := d.Decode(once)
	if err != nil {
		t.Fatalf("%s: what was read cannot be read again: %v\n%s", d.Name, err, once)
	}
	if twice := encode(t, again); string(twice) != string(once) {
		t.Fatalf("%s changes when it is read again:\n%s\n%s", d.Name, once, twice)
	}
}

// checkRefusal wants an error that can be sent back as it is.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	fault, ok := errors.AsType[*messages.Error](err)
	if !ok || fault.Code == "" || fault.Message == "" {
		t.Fatalf("refused with %#v; want an *Error with a code and a message", err)
	}
	if len(fault.Message)+len(fault.Field) > 4*messages.MaxReasonLength {
		t.Fatalf("the error has %d bytes; a hostile message fills it", len(fault.Message)+len(fault.Field))
	}
}

func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{`{"b":[1,2.50,-0],"a":"\u00e9\ud83d\ude02"}`, `{"a":{"a":{}},"b":1e-7}`, `"\u2028"`, `1e400`, `{"a":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := messages.Canonical(data)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		twice, err := messages.Canonical(once)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("canonical JSON is not its own canonical form: %s became %s (%v)", once, twice, err)
		}
	})
}

func FuzzParsePlatform(f *testing.F) {
	for _, seed := range []string{"linux/amd64", "windows(10.0.20348)/amd64", "macos/arm64", "linux", "linux/arm/v7", "windows()/amd64"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := messages.ParsePlatform(s)
		if err != nil {
			return
		}
		again, err := messages.ParsePlatform(p.String())
		if err != nil || again != p {
			t.Fatalf("%q is %+v, whose text %q is %+v (%v)", s, p, p.String(), again, err)
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{"web-rep-0", "a-rep-1-rep-2", "-rep-1", "web-rep-01", "web.4294967295", "_placer", "x.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if service, replica, ok := messages.ParseContainerName(s); ok && messages.ContainerName(service, replica) != s {
			t.Errorf("%q is replica %d of %q, whose name is %q", s, replica, service, messages.ContainerName(service, replica))
		}
		if journal, n, ok := messages.ParseIncarnation(s); ok && messages.Incarnation(journal, n) != s {
			t.Errorf("%q is run %d of journal %q", s, n, journal)
		}
		if messages.ValidToken(s) != (messages.CheckToken("id", s) == nil) {
			t.Errorf("ValidToken and CheckToken disagree on %q", s)
		}
		if messages.ValidToken(s) && strings.ContainsAny(s, ". *>\t") {
			t.Errorf("%q is a token, and would break a subject", s)
		}
		if number, ok := messages.ParseSignal(s); ok && (number < 1 || number > 64) {
			t.Errorf("%q is signal %d", s, number)
		}
	})
}
