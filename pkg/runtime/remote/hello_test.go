package remote

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/containerd/errdefs"
)

func utf16LE(text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// What comes before a hello does no harm, and is shown; what comes after it is
// left for HTTP/2.
func TestHelloAfterJunk(t *testing.T) {
	for name, c := range map[string]struct{ junk, shown string }{
		"nothing":                   {"", ""},
		"a greeting":                {"Welcome to Debian\r\n\x1b[1mthe best\x1b[0m\n", "Welcome to Debian [1mthe best[0m"},
		"UTF-16":                    {utf16LE("wsl: Ein Fehler für Sie.\r\n"), "wsl: Ein Fehler für Sie."},
		"UTF-16 with a mark":        {"\xff\xfe" + utf16LE("wsl: Hm\r\n"), "wsl: Hm"},
		"the beginning of one":      {signature[:10], "SHUNT-DEL"},
		"one that text has changed": {strings.ReplaceAll(signature, "\n", "\r\n"), "SHUNT-DELEGATE"},
		"as much as may come":       {strings.Repeat("x", mostJunk), strings.Repeat("x", mostSaid) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			var pipe bytes.Buffer
			pipe.WriteString(c.junk)
			if err := writeHello(&pipe, hello{Protocol: protocol, Version: "1.2.3"}); err != nil {
				t.Fatal(err)
			}
			pipe.WriteString("PRI")
			in := bufio.NewReader(&pipe)
			h, junk, err := readHello(in)
			if err != nil || h.Version != "1.2.3" || strings.TrimPrefix(junk, "\ufeff") != c.shown {
				t.Errorf("got %+v after %q, %v; want version 1.2.3 after %q", h, junk, err, c.shown)
			}
			if rest, _ := in.Peek(3); string(rest) != "PRI" {
				t.Errorf("after it comes %q, want PRI", rest)
			}
		})
	}
}

func TestNoHello(t *testing.T) {
	declined := func(e error) string {
		var b bytes.Buffer
		if err := writeHello(&b, hello{Protocol: protocol, Error: failed(e)}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for want, said := range map[string]string{
		"no delegate has answered: EOF":                     "",
		"it said: sh: worker: not found":                    "sh: worker: not found\n",
		"too much has come without one":                     strings.Repeat("x", mostJunk+len(signature)+1),
		"it said: Es gibt keine Distribution":               utf16LE("Es gibt keine Distribution\r\n"),
		"the delegate's hello: invalid character":           signature + "PRI * HTTP/2.0\n",
		"the delegate's hello: too much":                    signature + strings.Repeat(" ", mostHello+2),
		"of version 9, speaks protocol 2, and this end 1":   signature + `{"protocol":2,"version":"9"}` + "\n",
		"the delegate has no runtime: containerd: not here": declined(fmt.Errorf("containerd: not here (%w)", errdefs.ErrUnavailable)),
	} {
		_, _, err := readHello(bufio.NewReader(strings.NewReader(said)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", said, err, want)
		}
	}
}
