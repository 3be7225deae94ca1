package messagestest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Sample is a valid message. Full has a value in every field that can have
// one at the same time, Minimal in none that can be left out.
type Sample struct {
	Name          string // of the message, see messages.Descriptor
	Full, Minimal messages.Validator
}

// Samples has one sample of every kind of message, in the order of
// messages.All.
func Samples() []Sample {
	return slices.Concat(jobSamples(), nodeSamples(), workerVerbSamples(), placerVerbSamples())
}

// sample names the pair by its type.
func sample[T any, P interface {
	*T
	messages.Validator
}](full, minimal P) Sample {
	_, name, _ := strings.Cut(fmt.Sprintf("%T", *full), ".")
	return Sample{Name: name, Full: full, Minimal: minimal}
}

// at is an instant of the samples' day, with nanoseconds as the wire has them.
func at(minute int) time.Time {
	return time.Date(2026, time.March, 14, 9, minute, 26, 535897932, time.UTC)
}

func digest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

const seconds = messages.Duration(time.Second)
