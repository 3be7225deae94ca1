package bus

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Layout is the streams and buckets a fleet lives on.
type Layout struct {
	Streams  []Stream
	Buckets  []Store
	Replicas int // 1, or 3 on a cluster
}

// Stream is a durable log of the messages on some subjects.
type Stream struct {
	Name          string
	Subjects      []string
	WorkQueue     bool          // a message goes when it is acknowledged
	DiscardNew    bool          // full: refuse the new; else drop the oldest
	MaxAge        time.Duration // 0: for ever
	MaxBytes      int64         // on disk; never 0
	MaxPerSubject int64         // messages kept a subject; 0: all
}

// Store is a key-value bucket.
type Store struct {
	Name     string
	MaxBytes int64
}

// DefaultBudget is how much disk the whole layout may take, in bytes, when
// nothing else is said.
const DefaultBudget = 4 << 30

// Names of the consumers that all placers share.
const (
	ConsumerIntake   = "placers-intake"
	ConsumerOutcomes = "placers-outcomes"
)

const day = 24 * time.Hour

// NewLayout is the layout of a fleet under a subject root. Every stream has a
// size limit, a share of budget: intake refuses when it is full, since it is
// the front door; outcomes, done and dead drop their oldest.
func NewLayout(root messages.Root, replicas int, budget int64) Layout {
	share := func(parts int64) int64 { return budget / 64 * parts }
	return Layout{
		Replicas: replicas,
		Streams: []Stream{
			{Name: root.Stream(messages.StreamIntake), WorkQueue: true, DiscardNew: true, MaxBytes: share(8),
				Subjects: []string{root.Job(messages.Any), root.Cancel(messages.Any)}},
			{Name: root.Stream(messages.StreamOutcomes), MaxAge: 7 * day, MaxBytes: share(16),
				Subjects: []string{root.Outcome(messages.Any, messages.Any)}},
			{Name: root.Stream(messages.StreamDone), MaxAge: 7 * day, MaxBytes: share(16), MaxPerSubject: 1,
				Subjects: []string{root.Done(messages.Any)}},
			{Name: root.Stream(messages.StreamDead), MaxAge: 30 * day, MaxBytes: share(4), MaxPerSubject: 1,
				Subjects: []string{root.Dead(messages.Any)}},
			{Name: root.Stream(messages.StreamLeases), MaxBytes: share(1), MaxPerSubject: 1,
				Subjects: []string{root.Lease(messages.Any)}},
		},
		Buckets: []Store{
			{Name: root.Stream(messages.BucketJobs), MaxBytes: share(16)},
			{Name: root.Stream(messages.BucketNames), MaxBytes: share(2)},
			{Name: root.Stream(messages.BucketKeys), MaxBytes: share(1)},
		},
	}
}
