package messages

import "time"

// EventKind is what happened.
type EventKind string

// The kinds of events.
const (
	EventAccepted     EventKind = "accepted"
	EventRefused      EventKind = "refused"
	EventPulling      EventKind = "pulling"
	EventPulled       EventKind = "pulled"
	EventCreated      EventKind = "created"
	EventStarted      EventKind = "started"
	EventHealthy      EventKind = "healthy"
	EventUnhealthy    EventKind = "unhealthy"
	EventRestarted    EventKind = "restarted"
	EventExited       EventKind = "exited"
	EventRemoved      EventKind = "removed"
	EventNodeUp       EventKind = "node_up"
	EventNodeLost     EventKind = "node_lost"
	EventNodeDraining EventKind = "node_draining"
	EventNodeDrained  EventKind = "node_drained"
	EventPlaced       EventKind = "placed"
	EventMoved        EventKind = "moved"
	EventRevoked      EventKind = "revoked"
	EventCancelled    EventKind = "cancelled"
	EventDead         EventKind = "dead"
)

// EventKinds lists every kind.
func EventKinds() []EventKind {
	return []EventKind{
		EventAccepted, EventRefused, EventPulling, EventPulled, EventCreated, EventStarted,
		EventHealthy, EventUnhealthy, EventRestarted, EventExited, EventRemoved,
		EventNodeUp, EventNodeLost, EventNodeDraining, EventNodeDrained,
		EventPlaced, EventMoved, EventRevoked, EventCancelled, EventDead,
	}
}

// Event tells whoever listens what happened. It is told once and not kept.
type Event struct {
	V         int       `json:"v"`
	At        time.Time `json:"at"`
	Node      string    `json:"node"`
	Kind      EventKind `json:"kind"`
	Job       string    `json:"job,omitzero"`
	Attempt   uint64    `json:"attempt,omitzero"`
	Container string    `json:"container,omitzero"`
	Message   string    `json:"message,omitzero"`
}
