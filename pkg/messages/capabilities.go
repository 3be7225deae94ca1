package messages

import "time"

// Capabilities is a worker's heartbeat: what its node can run and has free.
// Within one journal (Incarnation's n, Seq) only rises; older ones are dropped.
type Capabilities struct {
	V           int       `json:"v"`
	Node        string    `json:"node"`
	Incarnation string    `json:"incarnation"` // <journal id>.<n>
	Seq         uint64    `json:"seq"`
	At          time.Time `json:"at"`       // the sender's clock; for people, not for decisions
	Interval    Duration  `json:"interval"` // to the next one
	TTL         Duration  `json:"ttl"`      // on the receiver's clock; 0s: goodbye

	Host      Host              `json:"host"`
	Platforms []RuntimePlatform `json:"platforms"` // what it can run, delegates included
	Free      Room              `json:"free"`
	Total     Room              `json:"total"`

	Labels     map[string]string `json:"labels,omitzero"`
	Draining   bool              `json:"draining"`
	Containers int               `json:"containers"`
	Images     []string          `json:"images,omitzero"` // digests, at most MaxImages
	XKey       string            `json:"xkey,omitzero"`   // seals credentials for this node
	Version    string            `json:"version,omitzero"`
}

// Host is the machine itself.
type Host struct {
	OS        OS     `json:"os"`
	Arch      string `json:"arch"`
	OSVersion string `json:"os_version,omitzero"`
	CPUs      int    `json:"cpus"`
	Memory    int64  `json:"memory"` // bytes
}

// RuntimePlatform is a platform and the runtime of the node that runs it.
type RuntimePlatform struct {
	Platform
	Runtime string `json:"runtime"`
}

// Room is an amount of what containers reserve.
type Room struct {
	CPUMilli int64 `json:"cpu_milli"`
	Memory   int64 `json:"memory"` // bytes
	PIDs     int64 `json:"pids"`
	GPU      int64 `json:"gpu"`
}

// Fits tells whether r has room for what the resources reserve.
func (r Room) Fits(want Resources) bool {
	return want.CPUMilli <= r.CPUMilli && want.Memory <= r.Memory && want.PIDs <= r.PIDs && want.GPU <= r.GPU
}

// PlacerBeat is a placer's heartbeat to its peers.
type PlacerBeat struct {
	V   int       `json:"v"`
	ID  string    `json:"id"`
	At  time.Time `json:"at"`
	Seq uint64    `json:"seq"`
}

// Lease is the message on a node's lease subject; its stream sequence is what
// renewals and declarations of loss compare and set.
type Lease struct {
	V           int       `json:"v"`
	Node        string    `json:"node"`
	Incarnation string    `json:"incarnation,omitzero"` // of the worker that renews
	At          time.Time `json:"at"`
	TTL         Duration  `json:"ttl"`
	LostBy      string    `json:"lost_by,omitzero"` // the placer that declared the node lost
}
