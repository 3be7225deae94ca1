package sim

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// observe reads what workers and placers have said from the streams, on the
// simulation's own connection.
func (s *simulation) observe() error {
	streams := map[string]func(bus.Delivery){
		messages.StreamOutcomes: func(d bus.Delivery) {
			var o messages.Outcome
			if s.readInto(d, &o) {
				s.record(checker.Event{Kind: checker.OutcomeSaid, Outcome: &o, Sequence: d.Sequence()})
			}
		},
		messages.StreamDone: func(d bus.Delivery) {
			var r messages.Record
			if s.readInto(d, &r) {
				s.record(checker.Event{Kind: checker.LastWord, Record: &r, Sequence: d.Sequence()})
			}
		},
	}
	for stream, take := range streams {
		of := bus.Consumer{Stream: root.Stream(stream), Name: "the-simulation"}
		if _, err := s.net.Consume(s.ctx, of, func(d bus.Delivery) {
			take(d)
			_ = d.Ack(context.Background()) // fails when the simulation is over
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *simulation) readInto(d bus.Delivery, v any) bool {
	err := json.Unmarshal(d.Message().Data, v)
	if err != nil {
		s.log.Error("what was said cannot be read", "subject", d.Message().Subject, "error", err)
	}
	return err == nil
}

// live is every record there is, by the key's order.
func (s *simulation) live() ([]messages.Record, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var all []messages.Record
	for c, err := range s.net.Bucket(root.Stream(messages.BucketJobs)).Watch(ctx) {
		if err != nil {
			return nil, err
		}
		if c.Current {
			break
		}
		if c.Deleted {
			continue
		}
		var r messages.Record
		if err := json.Unmarshal(c.Value, &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b messages.Record) int { return strings.Compare(a.Job.ID, b.Job.ID) })
	return all, nil
}
