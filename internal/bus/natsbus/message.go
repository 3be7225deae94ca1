package natsbus

import (
	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// toNATS keeps header names as they are: NATS does not fold their case.
func toNATS(m bus.Message) *nats.Msg {
	return &nats.Msg{Subject: m.Subject, Reply: m.Reply, Header: headerToNATS(m.Header), Data: m.Data}
}

func headerToNATS(h bus.Header) nats.Header {
	if len(h) == 0 {
		return nil
	}
	header := make(nats.Header, len(h))
	for name, value := range h {
		header[name] = []string{value}
	}
	return header
}

func fromNATS(m *nats.Msg) bus.Message {
	return bus.Message{Subject: m.Subject, Reply: m.Reply, Header: headerFromNATS(m.Header), Data: m.Data}
}

// headerFromNATS takes the first value of each name; shunt repeats none.
func headerFromNATS(h nats.Header) bus.Header {
	if len(h) == 0 {
		return nil
	}
	header := make(bus.Header, len(h))
	for name, values := range h {
		if len(values) > 0 {
			header[name] = values[0]
		}
	}
	return header
}
