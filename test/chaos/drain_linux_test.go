package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// drains drains one node after the other, and takes each drain back, while they
// and the placers that are asked are killed; until ctx ends.
func (f *fleet) drains(ctx context.Context, l *lane) {
	for l.pause(ctx) {
		node := f.workers[l.random.IntN(len(f.workers))].name
		f.t.Logf("%s drain %s", time.Now().UTC().Format("15:04:05.000"), node)
		f.note(checker.DrainAsked, checker.Event{Node: node})
		err := f.ask(messages.PlacerDrain, node, true)
		if err == nil {
			l.pause(ctx)
			err = f.ask(messages.PlacerUndrain, node, false)
			f.note(checker.UndrainAsked, checker.Event{Node: node})
		}
		if err != nil {
			f.t.Error(err)
			return
		}
	}
}

// ask has the placers drain a node, or take that back, until the node says that
// it is so.
func (f *fleet) ask(verb messages.PlacerVerb, node string, draining bool) error {
	request, err := messages.Encode(messages.DrainRequest{V: messages.Version, Node: node})
	if err != nil {
		return err
	}
	for until := time.Now().Add(patience); ; {
		answer, err := f.asked(verb, request)
		switch {
		case err == nil && answer.Draining == draining:
			return nil
		case time.Now().After(until):
			return fmt.Errorf("%s %s: %w; the last answer is %+v", verb, node, err, answer)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// asked is the answer of a placer, if one answers.
func (f *fleet) asked(verb messages.PlacerVerb, request []byte) (answer messages.DrainReply, err error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), 3*time.Second)
	defer cancel()
	reply, err := f.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: messages.Root(messages.DefaultRoot).PlacerVerb(verb), Data: request})
	if err != nil {
		return answer, err
	}
	if text := reply.Header.Get(messages.HeaderError); text != "" {
		return answer, fmt.Errorf("a placer says %s", text)
	}
	return answer, json.Unmarshal(reply.Data, &answer)
}
