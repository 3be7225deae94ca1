package messages

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Fingerprint tells a job from another one under the same id. It is the
// SHA-256, in lower-case hexadecimal, of the canonical JSON (RFC 8785) of the
// Job as it was submitted, without its top-level `attempt` and `refused`. It
// works on the JSON and not on a Job, so that fields this build does not know
// count too, and a client in any language can compute the same.
//
// JSON without a canonical form is an *Error of code malformed; see Canonical.
func Fingerprint(jobJSON []byte) (string, error) {
	c, err := newCanonicalizer(jobJSON)
	if err != nil {
		return "", err
	}
	if c.peek() != '{' {
		return "", malformed("the job is JSON, but not an object")
	}
	members, err := c.members()
	if err != nil {
		return "", err
	}
	c.writeMembers(slices.DeleteFunc(members, func(m member) bool {
		return m.name == "attempt" || m.name == "refused"
	}))
	sum := sha256.Sum256(c.out)
	return hex.EncodeToString(sum[:]), nil
}

// JobMsgID is the `Nats-Msg-Id` of a job on intake: `<job>/<fingerprint>`.
func JobMsgID(job, fingerprint string) string { return job + "/" + fingerprint }

// CancelMsgID is the `Nats-Msg-Id` of a cancel on intake: `<job>/cancel`.
func CancelMsgID(job string) string { return job + "/cancel" }
