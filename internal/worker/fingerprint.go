package worker

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// fingerprintIn is the fingerprint of the job in a command, or "" for a placed
// one that does not say. It cannot be had from a placed command itself: the placer
// has written the job anew, and may have given it another target.
func fingerprintIn(m bus.Message, direct bool) (string, error) {
	if direct {
		return messages.Fingerprint(m.Data)
	}
	text := m.Header[messages.HeaderFingerprint]
	if sum, err := hex.DecodeString(text); text != "" && (err != nil || len(sum) != 32 || text != strings.ToLower(text)) {
		return "", badHeader(messages.HeaderFingerprint, text, "is not a fingerprint; want a SHA-256 in 64 lower-case hexadecimal digits")
	}
	return text, nil
}

// fingerprintOf is the fingerprint of the job that an attempt is of, as far as it
// can be told: where nobody has said it, that of the job as it is known here. ""
// for a tombstone.
func fingerprintOf(a *journal.Attempt) string {
	if a.Fingerprint != "" || a.Job.Op == messages.OpRevoke {
		return a.Fingerprint
	}
	data, err := messages.Encode(submitted(a.Job))
	if err != nil {
		return ""
	}
	fingerprint, err := messages.Fingerprint(data)
	if err != nil {
		return ""
	}
	return fingerprint
}

// sameJob is why a direct command is not the job that this node knows under its
// id, or nil.
func sameJob(newest *journal.Attempt, fingerprint string) error {
	switch fingerprintOf(newest) {
	case fingerprint:
		return nil
	case "":
		// Whether it is that job cannot be told, and need not be.
		return &messages.Error{
			Code: messages.CodeAborted, Field: "id",
			Message: fmt.Sprintf("%q is fenced: this node was told to let go of that job, up to attempt %d; send this one under an id of its own",
				newest.Job.ID, newest.Job.Attempt),
		}
	}
	return &messages.Error{
		Code: messages.CodeIDConflict, Field: "id",
		Message: fmt.Sprintf("%q belongs to another job on this node; send this one under an id of its own", newest.Job.ID),
	}
}

// submitted is a job without what placers have added to it.
func submitted(job messages.Job) messages.Job {
	job.Attempt, job.Refused, job.RefusedDropped = 0, nil, 0
	return job
}
