package messages

import (
	"reflect"
	"slices"
)

// Part is how a message travels on a subject.
type Part string

// The parts a message can have.
const (
	PartStream    Part = "stream"    // published and kept until it is acknowledged or old
	PartBroadcast Part = "broadcast" // published to whoever listens just then
	PartRequest   Part = "request"   // published with a reply subject
	PartReply     Part = "reply"     // the one answer to a request on the subject
	PartFrame     Part = "frame"     // one of the answers to a request on the subject
	PartSession   Part = "session"   // published to an exec that is going on
	PartValue     Part = "value"     // a value in a bucket
)

// Route is one way a message travels. Subject is a pattern with names in angle
// brackets: `<root>.outcome.<node>.<job>`; a value's is `<BUCKET>/<key>`.
type Route struct {
	Subject string
	Part    Part
}

// Descriptor describes one message of the contract.
type Descriptor struct {
	Name   string // of the Go type
	Routes []Route
	Limit  int  // bytes
	Bare   bool // carries no "v"

	New    func() any                     // a pointer to an empty one
	Decode func(data []byte) (any, error) // a pointer to the one that was read
}

// All lists every message of the contract with the ways it travels, in the
// contract's order, so that tools and tests need no list of their own.
func All() []Descriptor {
	return slices.Concat(streams(), workerVerbs(), placerVerbs())
}

func streams() []Descriptor {
	return []Descriptor{
		versioned[Job](stream("job.<job>"), request("cmd.<node>")),
		versioned[Cancel](stream("cancel.<job>")),
		versioned[Outcome](stream("outcome.<node>.<job>"), reply("cmd.<node>"), reply("node.<node>.attempt")),
		versioned[Record](stream("done.<job>"), stream("dead.<job>"), value("JOBS/<job>"),
			reply("placer.job"), reply("placer.retry"), reply("placer.cancel")),
		bareMessage[NameClaim](value("NAMES/<service>.<replica>")),
		versioned[Lease](stream("lease.<node>")),
		versioned[Capabilities](broadcast("capabilities.<node>")),
		versioned[PlacerBeat](broadcast("placers.<id>")),
		versioned[Event](broadcast("event.<node>.<kind>"), frame("node.<node>.events")),
	}
}

func workerVerbs() []Descriptor {
	return []Descriptor{
		versioned[ListRequest](request("node.<node>.list")),
		versioned[ListReply](reply("node.<node>.list")),
		versioned[ContainerRequest](request("node.<node>.inspect"), request("node.<node>.state")),
		versioned[InspectReply](reply("node.<node>.inspect")),
		versioned[StateReply](reply("node.<node>.state")),
		versioned[StatsRequest](request("node.<node>.stats")),
		versioned[Stats](reply("node.<node>.stats"), frame("node.<node>.stats")),
		versioned[ImagesRequest](request("node.<node>.images")),
		versioned[ImagesReply](reply("node.<node>.images")),
		versioned[LogsRequest](request("node.<node>.logs")),
		versioned[ExecRequest](request("node.<node>.exec")),
		bareMessage[ExecSession](frame("node.<node>.exec")),
		versioned[ExecResize](session("resize")),
		versioned[ExecSignal](session("signal")),
		versioned[ExecCredit](session("credit")),
		versioned[WaitRequest](request("node.<node>.wait")),
		versioned[WaitReply](reply("node.<node>.wait")),
		versioned[EventsRequest](request("node.<node>.events")),
		versioned[PeersRequest](request("node.<node>.peers")),
		versioned[NodesReply](reply("node.<node>.peers"), reply("placer.nodes")),
		versioned[EmptyRequest](request("node.<node>.info"), request("placer.info")),
		versioned[InfoReply](reply("node.<node>.info")),
		versioned[AttemptRequest](request("node.<node>.attempt")),
		versioned[DrainRequest](request("node.<node>.drain"), request("node.<node>.undrain"),
			request("placer.drain"), request("placer.undrain")),
		versioned[DrainReply](reply("node.<node>.drain"), reply("node.<node>.undrain"),
			reply("placer.drain"), reply("placer.undrain"), reply("placer.forget")),
	}
}

func placerVerbs() []Descriptor {
	return []Descriptor{
		versioned[JobsRequest](request("placer.jobs")),
		versioned[JobsReply](reply("placer.jobs")),
		versioned[JobRequest](request("placer.job"), request("placer.retry"), request("placer.cancel")),
		versioned[ExplainRequest](request("placer.explain")),
		versioned[ExplainReply](reply("placer.explain")),
		versioned[NodesRequest](request("placer.nodes")),
		versioned[NodeRequest](request("placer.forget")),
		versioned[PlacerInfoReply](reply("placer.info")),
	}
}

// Describe finds a message by the name of its Go type.
func Describe(name string) (Descriptor, bool) {
	all := All()
	i := slices.IndexFunc(all, func(d Descriptor) bool { return d.Name == name })
	if i < 0 {
		return Descriptor{}, false
	}
	return all[i], true
}

func stream(subject string) Route    { return Route{"<root>." + subject, PartStream} }
func broadcast(subject string) Route { return Route{"<root>." + subject, PartBroadcast} }
func request(subject string) Route   { return Route{"<root>." + subject, PartRequest} }
func reply(subject string) Route     { return Route{"<root>." + subject, PartReply} }
func frame(subject string) Route     { return Route{"<root>." + subject, PartFrame} }
func value(key string) Route         { return Route{"<ROOT>_" + key, PartValue} }
func session(part string) Route {
	return Route{"<root>.node.<node>.exec.<session>." + part, PartSession}
}

// versioned describes a message that carries a version. An empty body is read as
// {"v": 1} where the message is a request and nothing else.
func versioned[T any, P message[T]](routes ...Route) Descriptor {
	decode := Decode[T, P]
	if !slices.ContainsFunc(routes, func(r Route) bool { return r.Part != PartRequest }) {
		decode = DecodeRequest[T, P]
	}
	return descriptor[T](routes, false, func(data []byte) (any, error) {
		m, err := decode(data)
		return &m, err
	})
}

// bareMessage describes a message that carries none.
func bareMessage[T any, P message[T]](routes ...Route) Descriptor {
	return descriptor[T](routes, true, func(data []byte) (any, error) {
		m, err := DecodeBare[T, P](data)
		return &m, err
	})
}

func descriptor[T any](routes []Route, bare bool, decode func([]byte) (any, error)) Descriptor {
	return Descriptor{
		Name:   reflect.TypeFor[T]().Name(),
		Routes: routes,
		Limit:  limitOf[T](),
		Bare:   bare,
		New:    func() any { return new(T) },
		Decode: decode,
	}
}
