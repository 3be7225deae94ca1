package messages

// Reroute says what a refusal means.
type Reroute string

// The values of Policy.Reroute.
const (
	RerouteAuto  Reroute = "auto"  // a peer is looked for
	RerouteNever Reroute = "never" // a refusal is final
)

// OnNodeLoss says what happens to a job whose node is lost.
type OnNodeLoss string

// The values of Policy.OnNodeLoss.
const (
	LossReschedule OnNodeLoss = "reschedule"
	LossWait       OnNodeLoss = "wait"
	LossFail       OnNodeLoss = "fail"
)

// OnPartition says what a node that is cut off does with a job.
type OnPartition string

// The values of Policy.OnPartition.
const (
	PartitionKeep OnPartition = "keep"
	PartitionStop OnPartition = "stop"
)

// DefaultMaxAttempts is how often a job is started when its policy does not
// say.
const DefaultMaxAttempts = 5

// Policy says how hard the fleet tries.
type Policy struct {
	MaxAttempts int         `json:"max_attempts,omitzero"` // starts, never refusals; default 5
	Deadline    Duration    `json:"deadline,omitzero"`     // from Created; 0: none
	Reroute     Reroute     `json:"reroute,omitzero"`      // default: auto
	OnNodeLoss  OnNodeLoss  `json:"on_node_loss,omitzero"`
	OnPartition OnPartition `json:"on_partition,omitzero"` // default: keep
	Idempotent  bool        `json:"idempotent,omitzero"`   // may be done twice
	RetryExit   bool        `json:"retry_exit,omitzero"`   // retry a non-zero exit
	Backoff     Backoff     `json:"backoff,omitzero"`
}

// Backoff bounds the wait between attempts; it doubles from Min to Max.
type Backoff struct {
	Min Duration `json:"min,omitzero"` // default: 1s
	Max Duration `json:"max,omitzero"` // default: 5m
}

// StartLimit is MaxAttempts with its default.
func (p Policy) StartLimit() int {
	if p.MaxAttempts == 0 {
		return DefaultMaxAttempts
	}
	return p.MaxAttempts
}
