package containerd

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// maxIDLength is the longest id that containerd takes.
const maxIDLength = 76

// containerID is the id of a container in containerd: readable, of the form
// that containerd wants, and never that of another service or replica. Service
// names may be longer than containerd's ids, and may hold runs of separators,
// so the name alone would not do; the hash of the whole name tells them apart.
func containerID(id runtime.ContainerID) string {
	const hashDigits = 16
	sum := sha256.Sum256([]byte(id.String()))
	tail := strconv.FormatUint(uint64(id.Replica), 10) + "-" + hex.EncodeToString(sum[:])[:hashDigits]
	name := slug(id.Service, maxIDLength-len(tail)-1)
	if name == "" {
		return tail
	}
	return name + "-" + tail
}

// slug is s with every run of anything but letters and digits as one dash, and
// no dash at its ends.
func slug(s string, most int) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !isAlphanumeric(r) }) {
		if b.Len() > 0 {
			b.WriteByte('-')
		}
		b.WriteString(word)
	}
	out := b.String()
	if len(out) > most {
		out = out[:most]
	}
	return strings.TrimRight(out, "-")
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
