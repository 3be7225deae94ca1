package messages

// PlacerVerb is a request that one placer answers on `shunt.placer.<verb>`.
type PlacerVerb string

// The placers' verbs.
const (
	PlacerJobs    PlacerVerb = "jobs"
	PlacerJob     PlacerVerb = "job"
	PlacerRetry   PlacerVerb = "retry"
	PlacerCancel  PlacerVerb = "cancel"
	PlacerExplain PlacerVerb = "explain"
	PlacerNodes   PlacerVerb = "nodes"
	PlacerDrain   PlacerVerb = "drain"
	PlacerUndrain PlacerVerb = "undrain"
	PlacerForget  PlacerVerb = "forget"
	PlacerInfo    PlacerVerb = "info"
)

// PlacerVerbs lists the placers' verbs in the order of the contract.
func PlacerVerbs() []PlacerVerb {
	return []PlacerVerb{
		PlacerJobs, PlacerJob, PlacerRetry, PlacerCancel, PlacerExplain, PlacerNodes,
		PlacerDrain, PlacerUndrain, PlacerForget, PlacerInfo,
	}
}

// JobsRequest asks for records; every field given narrows.
type JobsRequest struct {
	V       int               `json:"v"`
	State   State             `json:"state,omitzero"`
	Node    string            `json:"node,omitzero"`
	Service string            `json:"service,omitzero"`
	Labels  map[string]string `json:"labels,omitzero"` // of the spec
	Page
}

// JobsReply is a page of records, each without its job's spec.
type JobsReply struct {
	V    int      `json:"v"`
	Jobs []Record `json:"jobs"`
	Next string   `json:"next,omitzero"`
}

// JobRequest names one job: the request of job, retry and cancel.
type JobRequest struct {
	V      int    `json:"v"`
	ID     string `json:"id"`
	Reason string `json:"reason,omitzero"`
}

// ExplainRequest asks why a job is where it is (ID), or where one would go
// (Job). Nothing happens to either.
type ExplainRequest struct {
	V   int    `json:"v"`
	ID  string `json:"id,omitzero"`
	Job *Job   `json:"job,omitzero"`
}

// ExplainReply is the placement as it would be decided now.
type ExplainReply struct {
	V      int           `json:"v"`
	Chosen string        `json:"chosen,omitzero"`
	Reason string        `json:"reason,omitzero"` // why none was chosen
	Nodes  []NodeVerdict `json:"nodes"`
	More   int           `json:"more,omitzero"` // verdicts that a message has no room for: the last ones
}

// NodeVerdict is what placement thinks of one node for one job.
type NodeVerdict struct {
	Node   string  `json:"node"`
	OK     bool    `json:"ok"`
	Code   string  `json:"code,omitzero"`   // the filter that ruled it out
	Reason string  `json:"reason,omitzero"` // for people
	Score  float64 `json:"score"`           // of those that fit; higher is better

	Parts map[string]float64 `json:"parts,omitzero"` // what the score is the sum of
	// Changed says that what the node can do, or whether it is there, has changed
	// since the job that is asked about was placed.
	Changed bool `json:"changed,omitzero"`
}

// NodesRequest asks for the table of nodes.
type NodesRequest struct {
	V        int               `json:"v"`
	Labels   map[string]string `json:"labels,omitzero"`
	Platform *Platform         `json:"platform,omitzero"`
	Page
}

// NodeRequest names one node: the request of forget.
type NodeRequest struct {
	V    int    `json:"v"`
	Node string `json:"node"`
}

// PlacerInfoReply is a placer about itself.
type PlacerInfoReply struct {
	V       int           `json:"v"`
	ID      string        `json:"id"`
	Version string        `json:"version"`
	Placers []string      `json:"placers"`
	XKey    string        `json:"xkey,omitzero"`
	Counts  map[State]int `json:"counts"` // live jobs by state
}

// Matches tells whether a record is among those asked for. Labels are those of
// the spec, so a record without one has none.
func (r *JobsRequest) Matches(rec *Record) bool {
	if r.State != "" && rec.State != r.State ||
		r.Node != "" && rec.Node != r.Node ||
		r.Service != "" && rec.Job.EffectiveService() != r.Service {
		return false
	}
	for k, v := range r.Labels {
		if rec.Job.Spec == nil {
			return false
		}
		if got, ok := rec.Job.Spec.Labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}
