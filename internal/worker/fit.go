package worker

import "github.com/shunt-fleet/shunt/pkg/messages"

// roomForOutcome is what an outcome may take up, in bytes of JSON. The rest of
// a message is left to the record that will hold it, with its job and history.
const roomForOutcome = messages.MaxMessageSize - messages.MaxJobSize

// fit halves the lists and the output in an outcome until it is no larger than
// a message may be, and marks that it did: an outcome that the bus refuses
// would hold up all those behind it.
func fit(o *messages.Outcome) {
	r := o.Result
	for r != nil && len(r.Stdout)+len(r.Stderr)+len(r.Deleted)+len(r.Volumes) > 0 {
		data, err := messages.Encode(o)
		if err == nil && len(data) <= roomForOutcome {
			return
		}
		r.Stdout, r.Stderr = half(r.Stdout), half(r.Stderr)
		r.Deleted, r.Volumes = r.Deleted[:len(r.Deleted)/2], r.Volumes[:len(r.Volumes)/2]
		r.Truncated = true
	}
}

// half is the first half of text, without half a rune at its end.
func half(text string) string {
	cut := len(text) / 2
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut]
}

// mend makes an outcome one that the placers will read: what a runtime says may
// be something the contract has no word for, and an outcome that is refused is
// a job that never ends.
func mend(o *messages.Outcome) error {
	err := o.Validate()
	if err == nil {
		return nil
	}
	o.Result = nil
	if o.Validate() == nil {
		return err
	}
	o.Status, o.Route, o.Result = messages.StatusFailed, nil, nil
	o.Error = &messages.Error{
		Code:    messages.CodeInternal,
		Message: messages.TruncateReason("the outcome could not be told: " + err.Error()),
	}
	return err
}
