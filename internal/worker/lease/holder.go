package lease

import (
	"strconv"
	"time"
)

// Renewal is a message to the lease's subject.
type Renewal struct {
	ID     string        `json:"id"`     // Nats-Msg-Id; the same for each time it is sent
	Expect uint64        `json:"expect"` // the sequence it replaces
	Sent   time.Duration `json:"sent"`   // when it was sent for the first time
}

// Holder is what a worker knows of its lease. It is not safe for concurrent
// use. Its fields are what outlives the worker's process.
type Holder struct {
	Terms   Terms         `json:"terms"`
	Seq     uint64        `json:"seq"`               // of the newest message on the subject, as far as is known
	Held    bool          `json:"held"`              // the newest message is the worker's own
	Sent    time.Duration `json:"sent"`              // of the renewal acknowledged last
	Pending *Renewal      `json:"pending,omitempty"` // sent, outcome unknown
	Taken   uint64        `json:"taken,omitempty"`   // of the newest message that somebody else has written, as far as is known
}

// Renew is the renewal to send now: the one whose outcome is not known, or a
// new one. life and n make its id, which must be the only one of its kind.
func (h *Holder) Renew(now time.Duration, life string, n uint64) Renewal {
	if h.Pending == nil {
		h.Pending = &Renewal{ID: life + "/" + strconv.FormatUint(n, 10), Expect: h.Seq, Sent: now}
	}
	return *h.Pending
}

// Acknowledged notes that the pending renewal is the newest message.
func (h *Holder) Acknowledged(seq uint64) {
	if h.Pending == nil {
		return
	}
	h.Seq, h.Sent, h.Held, h.Pending = seq, h.Pending.Sent, true, nil
}

// Conflict notes that somebody else has written to the subject: last is the
// newest message's sequence, or 0 when that is not known. lost is true when the
// lease was held. A conflict that cannot name another's message may come of a
// write under way, the worker's own perhaps: nothing is known by it yet.
func (h *Holder) Conflict(last uint64) (lost, known bool) {
	if h.Pending == nil || last == 0 && h.Pending.Expect != 0 && h.Held {
		return false, false
	}
	lost = h.Held
	h.Seq, h.Taken, h.Held, h.Pending = last, last, false, nil
	return lost, true
}

// StopAt is when a container has to begin to stop; the beginning of time, when
// the lease is not held.
func (h *Holder) StopAt(grace time.Duration) time.Duration {
	if !h.Held {
		return 0
	}
	return h.Terms.end(h.Sent) - h.Terms.Kill - grace
}

// GraceLeft is how long a container that begins to stop now may take before it
// is killed: its own grace, or what the lease leaves of it.
func (h *Holder) GraceLeft(now, grace time.Duration) time.Duration {
	if !h.Held {
		return 0
	}
	return max(0, min(grace, h.Terms.end(h.Sent)-h.Terms.Kill-now))
}

// Fresh tells whether the lease was renewed less than a pause ago, for
// containers with a grace up to the one given.
func (h *Holder) Fresh(now, longest time.Duration) bool {
	return h.Held && now < h.Sent+h.Terms.RenewEvery(longest)
}
