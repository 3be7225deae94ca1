package lease

import "time"

// Clock tells the time since some moment before every process that asks, and
// counts the time that the machine is suspended.
type Clock interface{ Now() time.Duration }

// Container is what runs under the lease.
type Container struct {
	Name    string        `json:"name"` // <service>-rep-<replica>
	Job     string        `json:"job"`
	Attempt uint64        `json:"attempt"`
	Grace   time.Duration `json:"grace"`
}

// Record is the lease and what runs under it, as the guard needs it, and the
// next worker on the node.
type Record struct {
	Holder
	Containers []Container `json:"containers"`
}

// Guard ends what runs under the lease when the worker is not there to do it.
// It outlives the worker.
type Guard interface {
	// Watch has the guard go by the record from now on. When it returns nil, the
	// record outlives the worker, and the guard is awake if it has containers.
	Watch(r Record) error
	// Last is the record of the last Watch, of this worker or the one before it;
	// the zero Record if there is none, or none since the machine was started.
	Last() (Record, error)
	// Stopped tells whether the guard has ended the container of an attempt.
	Stopped(job string, attempt uint64) bool
}
