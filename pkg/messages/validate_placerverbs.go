package messages

import "math"

// Validate checks the request.
func (r *JobsRequest) Validate() error {
	return first(
		checkV(r.V),
		oneOfOrNone("state", r.State, States()...),
		tokenOrNone("node", r.Node),
		tokenOrNone("service", r.Service),
		checkLabels("labels", r.Labels),
		r.Page.Validate(),
	)
}

// Validate checks the page of records, which come without their specs.
func (r *JobsReply) Validate() error {
	return first(checkV(r.V), each("jobs", r.Jobs, func(record *Record) error { return record.validateBut(true) }))
}

// Validate checks the request.
func (r *JobRequest) Validate() error {
	return first(checkV(r.V), CheckToken("id", r.ID), checkReason("reason", r.Reason))
}

// Validate checks that the question is about an id or a job, and not both.
func (r *ExplainRequest) Validate() error {
	if err := first(checkV(r.V), tokenOrNone("id", r.ID)); err != nil {
		return err
	}
	switch {
	case r.ID == "" && r.Job == nil:
		return missing("id", "the id of a job, or a job as a question")
	case r.ID != "" && r.Job != nil:
		return invalid("id", r.ID, "either an id or a job")
	case r.Job != nil:
		return under("job", r.Job.Validate())
	}
	return nil
}

// Validate checks the answer.
func (r *ExplainReply) Validate() error {
	return first(
		checkV(r.V),
		tokenOrNone("chosen", r.Chosen),
		checkReason("reason", r.Reason),
		notNegative("more", r.More),
		each("nodes", r.Nodes, (*NodeVerdict).Validate),
	)
}

// Validate checks what is thought of one node.
func (v *NodeVerdict) Validate() error {
	if math.IsNaN(v.Score) || math.IsInf(v.Score, 0) {
		return invalid("score", v.Score, "a finite number, since JSON has no other")
	}
	for name, part := range v.Parts {
		if math.IsNaN(part) || math.IsInf(part, 0) {
			return invalid("parts."+name, part, "a finite number, since JSON has no other")
		}
	}
	return first(CheckToken("node", v.Node), checkText("code", v.Code), checkReason("reason", v.Reason))
}

// Validate checks the request.
func (r *NodesRequest) Validate() error {
	return first(
		checkV(r.V),
		checkLabels("labels", r.Labels),
		under("platform", platformOrNone(r.Platform)),
		r.Page.Validate(),
	)
}

// Validate checks the request.
func (r *NodeRequest) Validate() error { return first(checkV(r.V), CheckToken("node", r.Node)) }

// Validate checks what a placer says of itself.
func (r *PlacerInfoReply) Validate() error {
	if err := first(
		checkV(r.V),
		CheckToken("id", r.ID),
		each("placers", r.Placers, func(id *string) error { return CheckToken("", *id) }),
	); err != nil {
		return err
	}
	for _, state := range States() {
		if err := notNegative("counts."+string(state), r.Counts[state]); err != nil {
			return err
		}
	}
	for state := range r.Counts {
		if err := oneOf("counts", state, States()...); err != nil {
			return err
		}
	}
	return nil
}
