package main

import (
	"context"
	"errors"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Exit codes of every verb.
const (
	exitDone        = 0
	exitJobFailed   = 1
	exitBadUse      = 2
	exitUnreachable = 3
	exitTimedOut    = 4
)

// errJobFailed says that the verb did its work and the job did not do well.
var errJobFailed = errors.New("the job did not complete")

// exitCode is the code that stands for an error.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errJobFailed):
		return exitJobFailed
	case errors.Is(err, client.ErrUnreachable):
		return exitUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return exitTimedOut
	}
	if _, op := errors.AsType[*client.OpError](err); op {
		return exitJobFailed // an op is a job
	}
	e, said := errors.AsType[*messages.Error](err)
	switch {
	case said && e.Code == messages.CodeUnavailable:
		return exitUnreachable
	case said && e.Code == messages.CodeDeadlineExceeded:
		return exitTimedOut
	}
	return exitBadUse
}

// inWords is an error for people: how Go says that a wait was given up is no
// language of theirs.
func inWords(err error) string {
	return strings.NewReplacer(
		context.DeadlineExceeded.Error(), "the time is over", context.Canceled.Error(), "interrupted",
	).Replace(strings.TrimSpace(err.Error()))
}

// nextSteps are what to do about an error of a class that a person can do
// something about.
var nextSteps = map[messages.Code]string{
	messages.CodeNotFound:           "`shunt jobs`, `shunt jobs --state completed`, `shunt nodes` and `shunt images NODE` list what there is",
	messages.CodeAlreadyExists:      "`shunt jobs --service NAME` shows who has the name; --replace takes it over",
	messages.CodeIDConflict:         "leave --id out, and an id is made up; or give another",
	messages.CodeExpired:            "submit it under a new id",
	messages.CodeFailedPrecondition: "`shunt get JOB`, `shunt inspect CONTAINER` and `shunt nodes` show how things stand",
	messages.CodeNotImplemented:     "docs/protocol.md lists what this version does not do",
	messages.CodeUnavailable:        "it can be tried again; `shunt nodes` shows which nodes are there",
	messages.CodeWrongIncarnation:   "ask again; the node has lost its journal meanwhile",
}

// nextStep is what to do about an error, or "".
func nextStep(err error) string {
	if e, ok := errors.AsType[*messages.Error](err); ok {
		return nextSteps[e.Code]
	}
	switch {
	case errors.Is(err, errNoServer):
		return "start one with `placer --embed-nats HOST:PORT` or `shunt dev`, or name yours with --nats, --context or SHUNT_NATS"
	case errors.Is(err, client.ErrUnreachable):
		return "`shunt nodes` shows which workers are there, `nats micro ls` the placers as well"
	case errors.Is(err, errProgramEnded):
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "nothing is undone by that; ask again, or wait longer with --timeout"
	case errors.Is(err, context.Canceled):
		return "nothing is undone by that; what was asked for goes on"
	}
	return ""
}
