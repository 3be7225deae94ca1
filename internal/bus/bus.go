// Package bus is what shunt needs of a message bus: durable publish and
// consume, request and reply, broadcast, and a store with compare-and-set.
//
// It is a port. natsbus is the adapter for NATS and JetStream, membus the one
// that lives in a process's memory; bustest holds both to the same semantics.
// Nothing here knows what the messages mean.
//
// Every method is safe for concurrent use and honours its context. Handlers of
// one subscription are called one after the other and must return soon: what
// takes long goes on in a goroutine of the handler's own. An acknowledged write
// is as durable as the bus is configured to be; an unacknowledged one is
// unknown, not undone: it may still take effect later.
package bus

import (
	"context"
	"iter"
	"time"
)

// Header are a message's headers; names are case-sensitive, as in NATS.
type Header map[string]string

// Message is what travels. Reply is where an answer goes, if one is wanted.
type Message struct {
	Subject string
	Reply   string
	Header  Header
	Data    []byte
}

// Bus is a connection to a message bus.
type Bus interface {
	Core
	Durable
	// Bucket is a key-value store that Ensure made.
	Bucket(name string) Bucket
	// Ensure makes the streams and buckets that are missing, and checks those
	// that are there; one that cannot serve is an error that says what differs.
	Ensure(ctx context.Context, layout Layout) error
	// Connection tells whether the bus is reachable now, and since when. When it
	// is again after it was away, subscriptions are heard again too.
	Connection() (connected bool, since time.Time)
	// Close stops taking in, lets running handlers and unsent messages finish
	// until ctx ends, and closes the connection.
	Close(ctx context.Context) error
}

// Core is messaging that is told once and not kept.
type Core interface {
	// Publish sends a message to whoever listens.
	Publish(ctx context.Context, m Message) error
	// Request sends a message and waits for one answer. ErrNoResponders: surely
	// nobody heard it. Any other error: unknown.
	Request(ctx context.Context, m Message) (Message, error)
	// Probe is Publish, and calls gone, once and from another goroutine, if it
	// turns out that nobody listened. It is how a streamed answer learns that
	// its asker has left: a listener need not answer.
	Probe(ctx context.Context, m Message, gone func()) error
	// Subscribe hears every message on a subject, which may have wildcards.
	Subscribe(subject string, handler func(Message)) (Subscription, error)
	// Serve answers requests, and makes the service known to discovery.
	Serve(s Service) (Subscription, error)
}

// Durable is messaging that is kept in streams.
type Durable interface {
	// Append publishes into the stream that holds the subject and returns the
	// message's sequence once it is acknowledged. A header
	// Nats-Expected-Last-Subject-Sequence makes it a compare-and-set
	// (*ConflictError), Nats-Msg-Id lets a repeat be recognised for two minutes,
	// even if the message itself is gone. Use one of them: which is looked at
	// first depends on the bus. It takes the right to publish on the subject and
	// to hear one's own replies, and no other.
	Append(ctx context.Context, m Message) (uint64, error)
	// Consume hands a stream's messages to handler. All that consume under one
	// name share the messages between them; one that is not acknowledged within
	// AckWait comes again, to any of them.
	Consume(ctx context.Context, c Consumer, handler func(Delivery)) (Subscription, error)
	// Last is the newest message on a subject of a stream, or ErrNotFound.
	Last(ctx context.Context, stream, subject string) (Stored, error)
	// All is every message that a stream holds on a subject, which may have
	// wildcards, oldest first, and ends with the last that was there when the
	// reading began. What is removed meanwhile may be missing. An error is the last
	// thing it gives, and means that this was not all: ErrNotFound without such
	// a stream, the context's when ctx ends.
	All(ctx context.Context, stream, subject string) iter.Seq2[Stored, error]
}

// Bucket is a key-value store with compare-and-set. Revisions only rise.
type Bucket interface {
	// Get is the key's entry, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// Create sets a key that is not there, or fails with ErrExists.
	Create(ctx context.Context, key string, value []byte) (revision uint64, err error)
	// Update sets a key whose latest revision is the one given, or fails with
	// ErrConflict.
	Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	// Delete removes a key whose latest revision is the one given, or fails
	// with ErrConflict.
	Delete(ctx context.Context, key string, revision uint64) error
	// Watch gives every entry there is, then one Change with Current set, then
	// the changes as they happen, until ctx ends or the caller stops reading.
	// Of changes of one key in quick succession only the last is sure to be
	// given. It survives reconnects: then all is given again, Current too, and
	// what was deleted meanwhile as such. An error is the last thing it gives:
	// ErrNotFound without such a bucket, ErrUnavailable once the bus is closed.
	Watch(ctx context.Context) iter.Seq2[Change, error]
}

// Entry is a key's value at a revision.
type Entry struct {
	Key      string
	Value    []byte
	Revision uint64
}

// Change is an entry that was set or deleted, or the mark that Watch has given
// all there was.
type Change struct {
	Entry
	Deleted bool
	Current bool
}

// Stored is a message in a stream.
type Stored struct {
	Message
	Sequence uint64
	At       time.Time
}

// Consumer says what to consume.
type Consumer struct {
	Stream  string
	Name    string        // shared by all that divide the work
	Filters []string      // subjects; none: all of the stream
	AckWait time.Duration // 0: 30 s
	MaxOpen int           // unacknowledged at once, over all; 0: 1,000
}

// Delivery is a message from a stream, to be acknowledged.
type Delivery interface {
	Message() Message
	Sequence() uint64
	// Ack says that the message is done with. It need not wait until the bus has
	// noted that: an acknowledgement that is lost on its way brings the message
	// again, as the end of whoever was about to give it does.
	Ack(ctx context.Context) error
	// Later asks for the message again after a while.
	Later(delay time.Duration) error
	// Extend starts the message's AckWait anew.
	Extend() error
}

// Subscription is something that is being heard or served. Stop lets the
// handler that runs finish, and no new one start; called by the handler itself
// it therefore returns only when ctx ends. What came in and was not begun is
// not lost: a delivery goes back to its stream at once, a request is answered
// as if nobody had been there (ErrNoResponders). A Stop that ctx cut short may
// be called again.
type Subscription interface {
	Stop(ctx context.Context) error
}

// Service is a set of endpoints under one name, which discovery shows.
type Service struct {
	Name        string
	Version     string // semantic
	Description string
	Metadata    map[string]string
	Endpoints   []Endpoint
}

// Endpoint answers the requests on one subject.
type Endpoint struct {
	Name     string
	Subject  string
	Queue    string // those of one queue divide the requests; "": each gets all
	Metadata map[string]string
	Handler  func(Request)
}

// Request is a request to an endpoint. A streamed answer is published to
// Message().Reply instead of using Respond.
type Request interface {
	Message() Message
	Respond(m Message) error
	// Fail answers with an error in the headers of NATS micro services; body
	// and header may be nil.
	Fail(code, description string, body []byte, header Header) error
}
