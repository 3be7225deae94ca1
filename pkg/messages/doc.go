// Package messages is the vocabulary that shunt speaks on the bus: jobs,
// outcomes, records, capabilities, leases, events, the requests and replies of
// the verbs, and the subjects and headers they travel under.
//
// It promises what the wire contract promises and nothing else. Every message
// is JSON with "v": 1. Decode checks size, encoding, version, types and every
// field's meaning, and answers with an *Error that carries the code of the
// contract and names the field, the value and what would be right, so a caller
// can send it back as it is:
//
//	job, err := messages.Decode[messages.Job](data)
//	if err != nil {
//		reply(messages.AsError(err))
//	}
//
// Unknown fields are ignored, so an older reader understands a newer writer of
// the same version. Encode never fails for a value that Validate accepts and
// whose instants are in the years 0 to 9999. A message is also held against the
// tokens of its subject, by the CheckSubject methods.
//
// The package is a leaf: it imports the standard library alone, does no I/O,
// reads no clock and holds no state. Values are plain data; like any Go value
// they may be read from several goroutines, and written from one.
package messages

//go:generate go run github.com/shunt-fleet/shunt/internal/schema/gen -root ../..
