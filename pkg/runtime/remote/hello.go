package remote

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/containerd/errdefs"
)

// protocol is the version of what follows the hello. Both ends have to speak the
// same one; it rises when an older end would misunderstand a newer.
const protocol = 1

// signature begins a hello. As PNG's it has bytes that are no text, and line ends
// that a channel for text would change.
const signature = "\x89SHUNT-DELEGATE\r\n\x1a\n"

const (
	mostJunk  = 64 << 10 // bytes before a signature
	mostHello = 4 << 10  // bytes of the line after it
)

// hello is what the far end says first.
type hello struct {
	Protocol int      `json:"protocol"`
	Version  string   `json:"version"`         // of the program, for people
	Error    *failure `json:"error,omitempty"` // why there is no runtime to speak to
}

func writeHello(w io.Writer, h hello) error {
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(w, "%s%s\n", signature, line); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	return nil
}

// readHello reads up to the end of a hello. junk is what came before it, as text.
func readHello(r *bufio.Reader) (h hello, junk string, err error) {
	before, err := readUntil(r, signature, mostJunk)
	junk = readable(before)
	if err != nil {
		if junk != "" {
			err = fmt.Errorf("%w; it said: %s", err, junk)
		}
		return h, junk, fmt.Errorf("no delegate has answered: %w", err)
	}
	line, err := readUntil(r, "\n", mostHello)
	if err == nil {
		err = json.Unmarshal(line, &h)
	}
	switch {
	case err != nil:
		return h, junk, fmt.Errorf("the delegate's hello: %w", err)
	case h.Protocol != protocol:
		return h, junk, fmt.Errorf("the delegate, of version %s, speaks protocol %d, and this end %d; want the same version of the worker at both ends: %w",
			h.Version, h.Protocol, protocol, errdefs.ErrFailedPrecondition)
	case h.Error != nil:
		return h, junk, fmt.Errorf("the delegate has no runtime: %w", h.Error.err())
	}
	return h, junk, nil
}

var errTooMuch = errors.New("too much has come without one")

// readUntil is what comes before the end mark, which is read as well.
func readUntil(r *bufio.Reader, end string, most int) ([]byte, error) {
	var got []byte
	for len(got) < most+len(end) {
		b, err := r.ReadByte()
		if err != nil {
			return got, err
		}
		got = append(got, b)
		if before, ok := bytes.CutSuffix(got, []byte(end)); ok {
			return before, nil
		}
	}
	return got, errTooMuch
}

// mostSaid bounds what is shown of somebody else's words.
const mostSaid = 1 << 10

// readable is somebody else's words as one line of text, be they in UTF-8 or, as
// wsl.exe's, in UTF-16.
func readable(said []byte) string {
	text := string(said)
	if strings.Count(text, "\x00") > len(said)/4 {
		var units []uint16
		for i := 0; i+1 < len(said); i += 2 {
			units = append(units, uint16(said[i])|uint16(said[i+1])<<8)
		}
		text = string(utf16.Decode(units))
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r) && r != unicode.ReplacementChar:
			return r
		}
		return -1
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > mostSaid {
		text = strings.ToValidUTF8(text[:mostSaid], "") + "…"
	}
	return text
}
