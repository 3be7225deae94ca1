package compose_test

import (
	"errors"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/checker"
)

// TestFleet is the run that the package comment describes.
func TestFleet(t *testing.T) {
	f := newFleet(t)
	begin := time.Now()
	var given []string
	for _, job := range services() {
		if err := f.give(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		given = append(given, job.ID)
	}
	eventually(t, "the services run", func() (bool, string) { return f.settled(given) })

	traffic := f.startTraffic()
	f.torment()
	if err := traffic.end(); err != nil {
		t.Error(err)
	}
	t.Logf("%d tasks and %d services were given in %v", traffic.jobs, len(given), time.Since(begin).Round(time.Second))
	f.rest(given)
	f.judge()
}

// torment does to the fleet what can be done to it, one thing after the other.
// Jobs keep coming meanwhile.
func (f *fleet) torment() {
	f.killProgram("linux-1")
	f.killProgram("win-2")
	f.untilEnded(3)

	powerOn := f.powerOff("placer-1")
	f.untilEnded(5)
	powerOn()

	// A machine without power and one without a network: more than 30 % of the
	// fleet, so the placers ask before they judge.
	powerOn = f.powerOff("linux-2")
	connect := f.cutOff("win-1")
	f.untilLost("linux-2", "win-1")
	f.untilEnded(5)
	powerOn()
	connect()

	connect = f.cutOff("placer-2")
	powerOn = f.powerOff("nats-2")
	f.untilEnded(5)
	connect()
	powerOn()

	resume := f.pause("linux-1")
	connect = f.cutOff("linux-3")
	f.untilLost("linux-1", "linux-3")
	f.untilEnded(5)
	resume()
	connect()

	connect = f.cutOff("nats-1")
	f.untilEnded(5)
	connect()

	// No placer at all, and then only one.
	powerOn = f.powerOff("placer-1", "placer-2")
	f.killProgram("linux-2")
	powerOn()
	f.untilEnded(5)
}

// rest waits until nothing is left to do, then ends half of the services. What
// does not come to rest in time is the checker's to judge.
func (f *fleet) rest(services []string) {
	f.t.Helper()
	wait := func(what string, services []string) {
		if state, ok := comesTrue(patience, func() (bool, string) { return f.settled(services) }); !ok {
			f.t.Errorf("%s: not within %v: %s", what, patience, state)
		}
	}
	wait("every task has ended, and every service runs", services)
	var stay []string
	for n, id := range services {
		if n%2 == 0 {
			stay = append(stay, id)
			continue
		}
		if err := f.cancel(f.t.Context(), id); err != nil {
			f.t.Error(err)
		}
	}
	wait("half of the services have ended", stay)
}

// judge puts together what was seen, and has the checker say what it means.
func (f *fleet) judge() {
	f.t.Helper()
	err := f.readStreams()
	for _, machine := range linux {
		err = errors.Join(err, f.readWitness(machine))
	}
	for _, node := range windows {
		err = errors.Join(err, f.readPretenders(node))
	}
	live, failed := f.live()
	if err = errors.Join(err, failed); err != nil {
		f.t.Fatalf("the history is not whole: %v", err)
	}
	f.history.Add(checker.Event{At: time.Now(), Kind: checker.End, Live: live})
	history, err := f.history.History()
	if err != nil {
		f.t.Fatal(err)
	}
	verdict := checker.Check(history, checker.Config{Grace: 30 * time.Second, Skew: 200 * time.Millisecond, Placers: len(placers)})
	f.t.Logf("the verdict:\n%s", verdict)
	if !verdict.OK() {
		f.t.Error("the guarantees did not hold")
	}
}
