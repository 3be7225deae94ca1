package messages

import (
	"strconv"
	"strings"
)

// DefaultRoot is the subject root when none is configured.
const DefaultRoot = "shunt"

// Root is the first token of every subject; in capitals it begins the name of
// every stream and bucket. Its methods build the subjects of the contract; they
// do not check tokens, which Validate and CheckToken do where input comes in.
type Root string

// Job is where a job is submitted: intake.
func (r Root) Job(job string) string { return string(r) + ".job." + job }

// Cancel is where a job's cancellation is asked for: intake as well.
func (r Root) Cancel(job string) string { return string(r) + ".cancel." + job }

// Outcome is where a node publishes what became of a job.
func (r Root) Outcome(node, job string) string {
	return string(r) + ".outcome." + node + "." + job
}

// Done is where the last word on a job is said.
func (r Root) Done(job string) string { return string(r) + ".done." + job }

// Dead is where the record of a job that ended dead stays, beside Done.
func (r Root) Dead(job string) string { return string(r) + ".dead." + job }

// Lease is where a node renews its lease and a placer declares it over.
func (r Root) Lease(node string) string { return string(r) + ".lease." + node }

// Command is the request subject on which a node takes jobs.
func (r Root) Command(node string) string { return string(r) + ".cmd." + node }

// NodeVerb is the request subject of a worker's verb.
func (r Root) NodeVerb(node string, v WorkerVerb) string {
	return string(r) + ".node." + node + "." + string(v)
}

// PlacerVerb is the request subject of a placers' verb; any placer answers.
func (r Root) PlacerVerb(v PlacerVerb) string { return string(r) + ".placer." + string(v) }

// ExecSession is where the asker of an interactive exec sends its part: "in",
// "resize", "signal" or "credit"; Any hears all of them.
func (r Root) ExecSession(node, session, part string) string {
	return string(r) + ".node." + node + ".exec." + session + "." + part
}

// Capabilities is where a node's heartbeats go.
func (r Root) Capabilities(node string) string { return string(r) + ".capabilities." + node }

// Placers is where a placer's heartbeats go.
func (r Root) Placers(id string) string { return string(r) + ".placers." + id }

// Event is where a node's events of a kind go.
func (r Root) Event(node string, kind EventKind) string {
	return string(r) + ".event." + node + "." + string(kind)
}

// Stream is the name of a stream or bucket: the root in capitals, and name.
func (r Root) Stream(name string) string {
	return strings.ToUpper(string(r)) + "_" + name
}

// Any is the wildcard for one token of a subject.
const Any = "*"

// Validate checks that the root is one token, so that it also makes a name for
// streams.
func (r Root) Validate() error { return CheckToken("subject-root", string(r)) }

// Names of streams and buckets behind the root: SHUNT_INTAKE and so on.
const (
	StreamIntake   = "INTAKE"
	StreamOutcomes = "OUTCOMES"
	StreamDone     = "DONE"
	StreamDead     = "DEAD"
	StreamLeases   = "LEASES"
	BucketJobs     = "JOBS"
	BucketNames    = "NAMES"
	BucketKeys     = "KEYS" // the placers' xkey
)

// Token returns the n-th token of a subject behind its root: of
// "shunt.outcome.linux-1.web-42", 0 is "outcome" and 2 is "web-42".
func (r Root) Token(subject string, n int) string {
	rest, ok := strings.CutPrefix(subject, string(r)+".")
	if !ok {
		return ""
	}
	for range n {
		_, after, found := strings.Cut(rest, ".")
		if !found {
			return ""
		}
		rest = after
	}
	token, _, _ := strings.Cut(rest, ".")
	return token
}

func joinID(node, job string, attempt, seq uint64) string {
	return node + "/" + job + "/" + strconv.FormatUint(attempt, 10) + "/" + strconv.FormatUint(seq, 10)
}
