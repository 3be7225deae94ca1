package checker

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// epoch is when every script begins.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// script reads a history from lines such as
//
//	0   submit a idempotent max=2      op and policy; "to=n1": given to that node
//	0   ack a
//	1   start a/1 n1 c1                attempt 1, on n1, container c1
//	3.5 end n1 c1 0                    exit code; "harness" or "own": the cause
//	4   outcome a/1 n1 completed       "seq=2"
//	5   done a/1 n1 completed          the last word; "retries=1", "exit=3"
//	8   cancel a
//	9   node_away n1
//	20  finish a/2 n2 running reason   the end, with a live record, or none
//
// where the first word is seconds.
func script(t *testing.T, text string) []Event {
	t.Helper()
	var history []Event
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		seconds, err := strconv.ParseFloat(words[0], 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		e := scriptEvent(t, words[1], words[2:])
		e.At = epoch.Add(time.Duration(seconds * float64(time.Second)))
		if e.Kind == End && len(history) > 0 && history[len(history)-1].Kind == End {
			last := &history[len(history)-1] // another live record
			last.Live = append(last.Live, e.Live...)
			continue
		}
		history = append(history, e)
	}
	return history
}

func scriptEvent(t *testing.T, verb string, args []string) Event {
	t.Helper()
	first := ""
	if len(args) > 0 {
		first = args[0]
	}
	switch verb {
	case "submit":
		return submission(t, args)
	case "ack", "cancel", "retry", "stop":
		kind := map[string]Kind{"ack": Acknowledged, "cancel": CancelAsked, "retry": RetryAsked, "stop": StopAsked}[verb]
		return Event{Kind: kind, Job: first}
	case "start", "exec":
		kind := map[string]Kind{"start": Started, "exec": Exec}[verb]
		job, attempt := jobAttempt(t, first)
		return Event{Kind: kind, Job: job, Attempt: attempt, Node: args[1], Container: args[2]}
	case "end":
		e := Event{Kind: Ended, Node: first, Container: args[1], ExitCode: number(t, args[2])}
		if len(args) > 3 {
			e.Cause = args[3]
		}
		return e
	case "outcome":
		o := messages.Outcome{V: 1, Node: args[1], Seq: 1, Status: messages.Status(args[2])}
		o.Job, o.Attempt = jobAttempt(t, first)
		for _, option := range args[3:] {
			if option == "unavailable" {
				o.Error = &messages.Error{Code: messages.CodeUnavailable, Retryable: true}
				continue
			}
			o.Seq = uint64(*number(t, strings.TrimPrefix(option, "seq=")))
		}
		return Event{Kind: OutcomeSaid, Outcome: &o}
	case "done":
		r := record(t, args)
		return Event{Kind: LastWord, Record: &r}
	case "finish":
		if len(args) == 0 {
			return Event{Kind: End}
		}
		return Event{Kind: End, Live: []messages.Record{record(t, args)}}
	}
	return Event{Kind: Kind(verb), Node: first}
}

// submission reads what a job asks for.
func submission(t *testing.T, args []string) Event {
	t.Helper()
	body := &messages.Job{V: 1, ID: args[0], Op: messages.OpRun}
	e := Event{Kind: Submitted, Job: args[0], Body: body}
	for _, option := range args[1:] {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "service":
			body.Kind = messages.KindService
		case "op":
			body.Op = messages.Op(value)
		case "idempotent":
			body.Policy.Idempotent = true
		case "reschedule":
			body.Policy.OnNodeLoss = messages.LossReschedule
		case "partition_stop":
			body.Policy.OnPartition = messages.PartitionStop
		case "retry_exit":
			body.Policy.RetryExit = true
		case "max":
			body.Policy.MaxAttempts = *number(t, value)
		case "restart":
			policy, limit, _ := strings.Cut(value, ":") // "restart=on_failure:2"
			body.Spec = &messages.Spec{Restart: &messages.Restart{Policy: messages.RestartPolicy(policy)}}
			if limit != "" {
				body.Spec.Restart.Max = *number(t, limit)
			}
		case "health":
			body.Spec = &messages.Spec{Health: &messages.Health{TCP: &messages.HealthTCP{Port: 1}}}
		case "to":
			e.Node = value
		default:
			t.Fatalf("submit: %q is not an option", option)
		}
	}
	return e
}

// record reads "a/1 n1 completed", and what is more.
func record(t *testing.T, args []string) messages.Record {
	t.Helper()
	r := messages.Record{V: 1, Node: args[1], State: messages.State(args[2])}
	r.Job.ID, r.Attempt = jobAttempt(t, args[0])
	if r.Node == "-" {
		r.Node = ""
	}
	for _, option := range args[3:] {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "retries":
			r.Retries = *number(t, value)
		case "exit":
			r.Outcome = &messages.Outcome{Result: &messages.Result{ExitCode: number(t, value)}}
		case "name":
			r.Job.Op, r.Job.Service = messages.OpRun, value
		case "replaces":
			r.Replaces = &messages.Replaced{Job: value}
		case "successor":
			node, attempt := jobAttempt(t, value)
			r.Successor = &messages.Successor{Node: node, Attempt: attempt}
		default:
			r.Reason = option
		}
	}
	return r
}

func jobAttempt(t *testing.T, text string) (string, uint64) {
	t.Helper()
	name, digits, _ := strings.Cut(text, "/")
	if digits == "" {
		return name, 0
	}
	return name, uint64(*number(t, digits))
}

func number(t *testing.T, text string) *int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return &n
}

// rulesOf are the rules a verdict says are broken, each once.
func rulesOf(v Verdict) string {
	var rules []string
	for _, x := range v.Violations {
		if rule := fmt.Sprint(x.Rule); len(rules) == 0 || rules[len(rules)-1] != rule {
			rules = append(rules, rule)
		}
	}
	return strings.Join(rules, " ")
}
