package messages

import "math"

// Validate checks the bounds of a page.
func (p *Page) Validate() error {
	if p.Limit < 0 || p.Limit > MaxPageSize {
		return invalid("limit", p.Limit, "a number from 0 (the default) to 1000")
	}
	return first(checkLength("cursor", p.Cursor, MaxCursorLength), checkText("cursor", p.Cursor))
}

// Validate checks the request.
func (r *ListRequest) Validate() error { return first(checkV(r.V), r.Page.Validate()) }

// Validate checks the request.
func (r *ContainerRequest) Validate() error {
	return first(checkV(r.V), CheckToken("container", r.Container))
}

// Validate checks the request.
func (r *StatsRequest) Validate() error {
	return first(checkV(r.V), CheckToken("container", r.Container))
}

// Validate checks the request.
func (r *ImagesRequest) Validate() error { return first(checkV(r.V), r.Page.Validate()) }

// Validate checks that the request names a container or a job, and not both.
func (r *LogsRequest) Validate() error {
	if err := first(checkV(r.V), tokenOrNone("container", r.Container), tokenOrNone("job", r.Job)); err != nil {
		return err
	}
	switch {
	case r.Container == "" && r.Job == "":
		return missing("container", "the name of a container, or a job")
	case r.Container != "" && r.Job != "":
		return invalid("job", r.Job, "either a container or a job")
	case r.Tail != nil && *r.Tail < 0:
		return invalid("tail", *r.Tail, "a number of lines, or no tail for all")
	}
	return nil
}

// Validate checks the request.
func (r *ExecRequest) Validate() error {
	return first(
		checkV(r.V),
		CheckToken("container", r.Container),
		checkCommand("cmd", r.Cmd),
		checkProgram(r.Cmd, r.Env, r.Workdir, r.User),
	)
}

// Validate checks the session's name.
func (s *ExecSession) Validate() error { return CheckToken("session", s.Session) }

// Validate checks that the terminal has a size.
func (r *ExecResize) Validate() error {
	if err := checkV(r.V); err != nil {
		return err
	}
	if r.Rows == 0 {
		return missing("rows", "a number of rows from 1 to 65535")
	}
	if r.Cols == 0 {
		return missing("cols", "a number of columns from 1 to 65535")
	}
	return nil
}

// Validate checks the signal.
func (s *ExecSignal) Validate() error {
	return first(
		checkV(s.V),
		required("signal", s.Signal, "a signal such as INT or TERM"),
		signalOrNone("signal", s.Signal),
	)
}

// Validate checks that no credit is taken back.
func (c *ExecCredit) Validate() error { return first(checkV(c.V), notNegative("bytes", c.Bytes)) }

// Validate checks the request.
func (r *WaitRequest) Validate() error {
	return first(
		checkV(r.V),
		CheckToken("container", r.Container),
		oneOfOrNone("condition", r.Condition, WaitNotRunning, WaitNextExit, WaitRemoved),
		checkDuration("timeout", r.Timeout),
	)
}

// Validate checks the request.
func (r *EventsRequest) Validate() error {
	return first(
		checkV(r.V),
		each("kinds", r.Kinds, func(kind *EventKind) error { return oneOf("", *kind, EventKinds()...) }),
	)
}

// Validate checks the request.
func (r *PeersRequest) Validate() error { return first(checkV(r.V), r.Page.Validate()) }

// Validate checks the request.
func (r *AttemptRequest) Validate() error { return first(checkV(r.V), CheckToken("job", r.Job)) }

// Validate checks the request. Whether a node is needed depends on who is
// asked; see RequireNode.
func (r *DrainRequest) Validate() error {
	return first(checkV(r.V), tokenOrNone("node", r.Node), checkDuration("timeout", r.Timeout))
}

// RequireNode is for placers, whose drain and undrain must say which node.
func (r *DrainRequest) RequireNode() error { return CheckToken("node", r.Node) }

// Validate checks the version, which is all there is.
func (r *EmptyRequest) Validate() error { return checkV(r.V) }

// signalNumberOrNone checks a signal's number in a reply.
func signalNumberOrNone(field string, n int) error {
	if n < 0 || n > signalRTMax {
		return invalid(field, n, "a signal's number from 1 to 64, or none")
	}
	return nil
}

// exitCodeOrNone checks that a code is one that a system can give: Windows' are 32
// bits, signed or not by who reads them.
func exitCodeOrNone(field string, code *int) error {
	if code == nil || (int64(*code) >= math.MinInt32 && int64(*code) <= math.MaxUint32) {
		return nil
	}
	return invalid(field, *code, "an exit code of 32 bits")
}
