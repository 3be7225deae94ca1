package messages

import "strings"

// Validate checks the record and that its parts agree.
func (r *Record) Validate() error {
	return first(r.validateBut(false), under("job", r.Job.validateNeeds()))
}

// validateBut checks all but what the job's op needs, which a listed record,
// being without its spec, cannot show.
func (r *Record) validateBut(specless bool) error {
	if err := first(
		checkV(r.V),
		under("job", r.Job.validateBut(specless)),
		oneOf("state", r.State, States()...),
		tokenOrNone("node", r.Node),
		r.validateHolder(),
		notNegative("starts", r.Starts),
		checkReason("reason", r.Reason),
		r.Successor.validate(),
		r.Replaces.validate(),
		each("fences", r.Fences, (*Fence).Validate),
		atMost("history", len(r.History), MaxHistory),
		each("history", r.History, (*History).Validate),
		notNegative("history_dropped", r.HistoryDropped),
		fingerprintOrNone("fingerprint", r.Fingerprint),
		each("platforms", r.Platforms, func(p *Platform) error { return p.Validate() }),
		notNegative("retries", r.Retries),
	); err != nil || r.Outcome == nil {
		return err
	}
	if r.Outcome.Job != r.Job.ID {
		return disagrees("outcome.job", r.Outcome.Job, "job.id", r.Job.ID)
	}
	return under("outcome", r.Outcome.Validate())
}

// validateHolder checks that a job which a node holds says which.
func (r *Record) validateHolder() error {
	if r.State != StateAssigned && r.State != StateRunning {
		return nil
	}
	return required("node", r.Node, "the node that holds a job which is "+string(r.State))
}

func (s *Successor) validate() error {
	if s == nil {
		return nil
	}
	return first(CheckToken("successor.node", s.Node), positive("successor.attempt", s.Attempt))
}

func (r *Replaced) validate() error {
	if r == nil {
		return nil
	}
	return first(CheckToken("replaces.job", r.Job), tokenOrNone("replaces.node", r.Node), notNegative("replaces.life", r.Life))
}

// Validate checks that the fence says whom and what.
func (f *Fence) Validate() error {
	return first(CheckToken("node", f.Node), positive("attempt", f.Attempt))
}

// Validate checks one event of a record's history.
func (h *History) Validate() error {
	if h.Node != "" {
		if err := checkNode("node", h.Node); err != nil {
			return err
		}
	}
	return first(
		required("event", h.Event, "what happened"),
		checkText("event", h.Event),
		checkText("code", h.Code),
		checkReason("reason", h.Reason),
	)
}

func positive(field string, n uint64) error {
	if n == 0 {
		return missing(field, "a number of 1 or more")
	}
	return nil
}

func fingerprintOrNone(field, sum string) error {
	if sum == "" || len(sum) == 64 && strings.Trim(sum, "0123456789abcdef") == "" {
		return nil
	}
	return invalid(field, sum, "64 hexadecimal digits in lower case")
}

// Validate checks whose name it is.
func (n *NameClaim) Validate() error {
	if n.Next == "" {
		return CheckToken("job", n.Job)
	}
	return first(CheckToken("job", n.Job), CheckToken("next", n.Next))
}

// Validate checks the reason's length.
func (c *Cancel) Validate() error { return first(checkV(c.V), checkReason("reason", c.Reason)) }
