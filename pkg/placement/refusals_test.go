package placement

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// ride answers every command of a job with a refusal, until it is no longer
// sent, and gives the nodes that were asked, in order.
func ride(t *testing.T, r *messages.Record, peers peer.Snapshot, now time.Time, answer func(node string) func(*messages.Outcome), most int) (*messages.Record, []string) {
	t.Helper()
	var asked []string
	for r.State == messages.StateAssigned && len(asked) < most {
		asked = append(asked, r.Node)
		o := outcome(messages.StatusRouteToPeer, of(r.Node, r.Attempt, 1), answer(r.Node))
		r, _ = next(t, r, Reported{o}, peers, now)
	}
	return r, asked
}

func submit(t *testing.T, job messages.Job, peers peer.Snapshot, now time.Time) *messages.Record {
	t.Helper()
	r, _ := next(t, nil, Submitted{Job: job, Fingerprint: fingerprint}, peers, now)
	return r
}

func always(code messages.RefuseCode, platforms ...string) func(string) func(*messages.Outcome) {
	return func(string) func(*messages.Outcome) { return refusing(code, platforms...) }
}

// The weak point no. 3 of the seed: the signal was thrown away.
func TestWeakPoint3ARefusalIsNotAFailure(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "windows/amd64"), node("b", "linux/amd64"))
	r := recordIn(messages.StateAssigned)
	r, effects := next(t, r, Reported{outcome(messages.StatusRouteToPeer, refusing(messages.RefusePlatform, "linux/amd64"))}, peers, epoch)
	if r.State != messages.StateAssigned || r.Node != "b" || r.Attempt != 3 || show(effects) != "command(b 3) tell(refused) tell(placed)" {
		t.Errorf("it is %s on %s as attempt %d: %s", r.State, r.Node, r.Attempt, show(effects))
	}
	if r.Starts != 0 {
		t.Errorf("a refusal counts as %d starts", r.Starts)
	}
}

// The weak point no. 3 of the seed: required_os never limited the next
// placement.
func TestWeakPoint3WhatARefusalTeachesLimitsEveryLaterPlacement(t *testing.T) {
	nodes := []messages.Capabilities{node("w1", "windows/amd64"), node("w2", "windows/amd64"), node("w3", "windows/amd64"), node("z", "linux/arm64")}
	peers := fleetOf(t, epoch, nodes...)
	job := runJob()
	job.Target = "w1"
	r := submit(t, job, peers, epoch)
	r, asked := ride(t, r, peers, epoch, always(messages.RefusePlatform, "linux/amd64"), 9)
	if len(asked) != 1 || r.State != messages.StatePending {
		t.Fatalf("%v were asked, and the job is %s on %s", asked, r.State, r.Node)
	}
	if !strings.Contains(r.Reason, "needs linux/amd64") {
		t.Errorf("the reason does not name what is needed: %s", r.Reason)
	}
	// It moves the moment a capable node comes, and a refusal of that one for
	// another reason does not widen what is known.
	peers = fleetOf(t, epoch.Add(1), append(nodes, node("l1", "linux/amd64"))...)
	r, _ = next(t, r, Tick{}, peers, epoch.Add(1))
	if r.Node != "l1" {
		t.Fatalf("it went to %s", r.Node)
	}
	r, asked = ride(t, r, peers, epoch.Add(2), always(messages.RefusePolicy), 9)
	if len(asked) != 1 || r.State != messages.StatePending {
		t.Errorf("after l1's refusal %v were asked, and it is %s on %s", asked, r.State, r.Node)
	}
}

func TestALaterRefusalNarrowsAnEarlierOne(t *testing.T) {
	route := func(code messages.RefuseCode, os messages.OS, arch string, platforms ...string) *messages.RouteToPeer {
		return &messages.RouteToPeer{Code: code, RequiredOS: os, RequiredArch: arch, Platforms: parsed(platforms...)}
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf("linux/arch%d", i)
	}
	for name, c := range map[string]struct {
		said []*messages.RouteToPeer
		want string
	}{
		"the set":                 {[]*messages.RouteToPeer{route("platform", "", "", "linux/amd64", "windows/amd64")}, "linux/amd64 or windows/amd64"},
		"required os and arch":    {[]*messages.RouteToPeer{route("platform", "linux", "amd64")}, "linux/amd64"},
		"required arch alone":     {[]*messages.RouteToPeer{route("platform", "", "arm64")}, "/arm64"},
		"narrowed by the os":      {[]*messages.RouteToPeer{route("platform", "", "", "linux/amd64", "windows/amd64"), route("platform", "linux", "")}, "linux/amd64"},
		"narrowed by the build":   {[]*messages.RouteToPeer{route("platform", "windows", "amd64"), route("os_version", "", "", "windows(10.0.20348)/amd64")}, "windows(10.0.20348)/amd64"},
		"contradicted: the newer": {[]*messages.RouteToPeer{route("platform", "linux", "amd64"), route("platform", "windows", "amd64")}, "windows/amd64"},
		"other codes teach none":  {[]*messages.RouteToPeer{route("platform", "linux", "amd64"), route("capacity", "windows", "amd64")}, "linux/amd64"},
		"nothing said":            {[]*messages.RouteToPeer{route("platform", "linux", ""), route("platform", "", "")}, "linux"},
		"bounded":                 {[]*messages.RouteToPeer{route("platform", "", "", many...)}, strings.Join(many[:mostPlatforms], " or ")},
	} {
		t.Run(name, func(t *testing.T) {
			s := step{rec: &messages.Record{}}
			for _, said := range c.said {
				s.learn(said)
			}
			if got := platformList(s.rec.Platforms); got != c.want {
				t.Errorf("known is %s, want %s", got, c.want)
			}
		})
	}
}

// What the image needs completes what the job's own platform leaves open.
func TestWhatARefusalTeachesCompletesTheJobsOwnPlatform(t *testing.T) {
	job := runJob()
	job.Spec.Platform = &messages.Platform{OS: messages.Linux}
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"), node("c", "linux/arm64"))
	if got, ok := Choose(&job, parsed("linux/arm64", "windows/amd64"), peers, epoch); got != "c" {
		t.Errorf("chosen is %q (%v), want c", got, ok)
	}
	if got, ok := Choose(&job, parsed("windows/amd64"), peers, epoch); !ok {
		t.Errorf("chosen is %q: the job's own platform must decide over a contradiction", got)
	}
}

// The weak point no. 3 of the seed: refusals did not accumulate, so two
// refusing nodes could play ping-pong for ever.
func TestWeakPoint3TwoRefusingNodesDoNotPlayPingPong(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	for _, code := range messages.RefuseCodes() {
		r, asked := ride(t, submit(t, runJob(), peers, epoch), peers, epoch, always(code), 9)
		if len(asked) != 2 || asked[0] == asked[1] || r.State != messages.StatePending {
			t.Errorf("%s: %v were asked, and the job is %s", code, asked, r.State)
		}
		if !strings.Contains(r.Reason, "a") || !strings.Contains(r.Reason, "refused") {
			t.Errorf("%s: the reason does not say who refused: %s", code, r.Reason)
		}
		for range 5 {
			r, _ = next(t, r, Tick{}, peers, epoch.Add(time.Hour))
		}
		if r.State != messages.StatePending {
			t.Errorf("%s: without a newer heartbeat it is %s again", code, r.State)
		}
	}
}

// More nodes than a record can remember refusals of are asked at a pace, each
// round slower.
func TestAFleetThatRefusesIsAskedAtAPace(t *testing.T) {
	var nodes []messages.Capabilities
	for i := range messages.MaxRefused + 36 {
		nodes = append(nodes, node(fmt.Sprintf("n%03d", i), "linux/amd64"))
	}
	peers := fleetOf(t, epoch, nodes...)
	r, asked := ride(t, submit(t, runJob(), peers, epoch), peers, epoch, always(messages.RefusePolicy), 1000)
	if r.State != messages.StatePending || len(asked) > messages.MaxRefused+1 {
		t.Fatalf("%d nodes were asked at once, and the job is %s", len(asked), r.State)
	}
	if wait := r.NotBefore.Sub(epoch); wait < time.Second {
		t.Errorf("the next is asked after %v", wait)
	}
	asks := 0
	for now := epoch; now.Before(epoch.Add(time.Hour)); now = now.Add(time.Second) {
		var more []string
		r, _ = next(t, r, Tick{}, peers, now)
		r, more = ride(t, r, peers, now, always(messages.RefusePolicy), 1000)
		asks += len(more)
	}
	if asks < 36 || asks > 120 {
		t.Errorf("%d nodes were asked in the hour after that; want all 36 that had not been, and no storm", asks)
	}
}

func TestTargetIsTriedFirstThenElsewhere(t *testing.T) {
	job := runJob()
	job.Target = "c"
	nodes := []messages.Capabilities{node("a", "linux/amd64"), node("b", "linux/amd64")}
	r := submit(t, job, fleetOf(t, epoch, nodes...), epoch)
	if r.State != messages.StatePending || !strings.Contains(r.Reason, "target") {
		t.Fatalf("without its target it is %s: %s", r.State, r.Reason)
	}
	peers := fleetOf(t, epoch, append(nodes, node("c", "linux/amd64"))...)
	r, _ = next(t, r, Tick{}, peers, epoch)
	r, asked := ride(t, r, peers, epoch, always(messages.RefuseCapacity), 9)
	if len(asked) != 3 || asked[0] != "c" || r.State != messages.StatePending {
		t.Errorf("asked were %v, and it is %s", asked, r.State)
	}
}

func TestRerouteNeverMakesARefusalFinal(t *testing.T) {
	r := recordIn(messages.StateAssigned)
	r.Job.Policy.Reroute = messages.RerouteNever
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	r, effects := next(t, r, Reported{outcome(messages.StatusRouteToPeer)}, peers, epoch)
	if r.State != messages.StateFailed || show(effects) != "finish delete tell(refused)" || !strings.Contains(r.Reason, "no such label") {
		t.Errorf("it is %s (%s): %s", r.State, r.Reason, show(effects))
	}
}

func TestOpsOnANodesImagesAreNotRerouted(t *testing.T) {
	r := recordIn(messages.StateAssigned)
	r.Job = messages.Job{V: 1, ID: "job-1", Op: messages.OpPull, Target: "a", Args: messages.Args{Image: "web:1"}}
	r, _ = next(t, r, Reported{outcome(messages.StatusRouteToPeer, func(o *messages.Outcome) { o.Op = messages.OpPull })}, fleetOf(t, epoch, node("b", "linux/amd64")), epoch)
	if r.State != messages.StateFailed {
		t.Errorf("it is %s on %s", r.State, r.Node)
	}
}

// A refusal that comes after the acceptance was no start.
func TestARefusalAfterTheAcceptanceIsNoStart(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	r, _ = next(t, r, Reported{outcome(messages.StatusRouteToPeer)}, peers, epoch)
	if r.Starts != 0 || r.State != messages.StateAssigned {
		t.Errorf("%s after %d starts", r.State, r.Starts)
	}
}

// A refusal is replied and published; its copy is no news, and not worth a
// write.
func TestTheCopyOfARefusalIsNoNews(t *testing.T) {
	refusal := Reported{outcome(messages.StatusRouteToPeer)}
	for _, peers := range []peer.Snapshot{
		fleetOf(t, epoch, node("a", "linux/amd64")),
		fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64")),
	} {
		r, _ := next(t, recordIn(messages.StateAssigned), refusal, peers, epoch)
		if got, effects := next(t, r, refusal, peers, epoch); got != r || len(effects) != 0 {
			t.Errorf("while %s: %s", r.State, show(effects))
		}
	}
}
