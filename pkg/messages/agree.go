package messages

// A message says in its body what its subject says too, so that it keeps its
// meaning when it is stored elsewhere. The two must agree: a message whose do
// not is refused. Decode cannot know the subject, so whoever receives a
// message calls its check with the tokens of the subject (see Root.Token).

// agree compares a field with the token of the subject that must equal it.
func agree(field, value, token string) error {
	if value == token {
		return nil
	}
	return disagrees(field, value, "the subject", token)
}

// CheckSubjectJob checks a job against `<root>.job.<job>`.
func (j *Job) CheckSubjectJob(job string) error { return agree("id", j.ID, job) }

// CheckSubjectNode checks a command against `<root>.cmd.<node>`: a job with a
// target may not be sent elsewhere.
func (j *Job) CheckSubjectNode(node string) error {
	if j.Target == "" {
		return nil
	}
	return agree("target", j.Target, node)
}

// CheckSubject checks an outcome against `<root>.outcome.<node>.<job>`. A
// rejected may not know its job, and then says none.
func (o *Outcome) CheckSubject(node, job string) error {
	if err := agree("node", o.Node, node); err != nil {
		return err
	}
	if o.Job == "" && o.Status == StatusRejected {
		return nil
	}
	return agree("job", o.Job, job)
}

// CheckSubject checks a record against `<root>.done.<job>`, `<root>.dead.<job>`
// and its key in the bucket of jobs.
func (r *Record) CheckSubject(job string) error { return agree("job.id", r.Job.ID, job) }

// CheckSubject checks a lease against `<root>.lease.<node>`.
func (l *Lease) CheckSubject(node string) error { return agree("node", l.Node, node) }

// CheckSubject checks a heartbeat against `<root>.capabilities.<node>`.
func (c *Capabilities) CheckSubject(node string) error { return agree("node", c.Node, node) }

// CheckSubject checks a placer's heartbeat against `<root>.placers.<id>`.
func (b *PlacerBeat) CheckSubject(id string) error { return agree("id", b.ID, id) }

// CheckSubject checks an event against `<root>.event.<node>.<kind>`.
func (e *Event) CheckSubject(node, kind string) error {
	return first(agree("node", e.Node, node), agree("kind", string(e.Kind), kind))
}

// CheckSubjectNode checks a worker's drain against
// `<root>.node.<node>.drain`: a node that is named must be the one asked.
func (r *DrainRequest) CheckSubjectNode(node string) error {
	if r.Node == "" {
		return nil
	}
	return agree("node", r.Node, node)
}

// CheckSubject checks a message that was read against the subject it came on:
// the tokens of the subject must agree with the body, which Decode cannot
// know. m is a pointer to a message; one that repeats nothing of its subject
// always agrees.
func (r Root) CheckSubject(subject string, m any) error {
	token := func(n int) string { return r.Token(subject, n) }
	switch m := m.(type) {
	case *Job:
		if token(0) == "cmd" {
			return m.CheckSubjectNode(token(1))
		}
		return m.CheckSubjectJob(token(1))
	case *Outcome:
		return m.CheckSubject(token(1), token(2))
	case *Record:
		return m.CheckSubject(token(1))
	case *Lease:
		return m.CheckSubject(token(1))
	case *Capabilities:
		return m.CheckSubject(token(1))
	case *PlacerBeat:
		return m.CheckSubject(token(1))
	case *Event:
		return m.CheckSubject(token(1), token(2))
	case *DrainRequest:
		if token(0) == "placer" {
			return m.RequireNode()
		}
		return m.CheckSubjectNode(token(1))
	}
	return nil
}
