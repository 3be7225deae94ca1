package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/checker"
)

// TestChaos is the run that the package comment describes.
func TestChaos(t *testing.T) {
	jobs := int(setting(t, "SHUNT_CHAOS_JOBS", 60))
	seed := uint64(setting(t, "SHUNT_CHAOS_SEED", 1))
	long := int(setting(t, "SHUNT_CHAOS_LONG", 25))
	during := 40 * time.Second
	if text := os.Getenv("SHUNT_CHAOS_FOR"); text != "" {
		var err error
		if during, err = time.ParseDuration(text); err != nil || during <= 0 {
			t.Fatalf("SHUNT_CHAOS_FOR: %q is not a duration above 0, such as 40s", text)
		}
	}
	dir := workDir(t)
	file, err := os.Create(filepath.Join(dir, "history.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f := newFleet(t, dir, checker.NewRecorder(file))
	t.Logf("%d jobs in %v, seed %d, %d %% of the workers' absences are long", jobs, during, seed, long)
	execOf := f.run(jobs, during, seed, long)

	for _, e := range f.truth.history(t, execOf) {
		f.recorder.Add(e)
	}
	live, err := f.live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.note(checker.End, checker.Event{Live: live})
	history, err := f.recorder.History()
	if err != nil {
		t.Fatal(err)
	}
	verdict := checker.Check(history, checker.Config{Grace: 20 * time.Second, Skew: 200 * time.Millisecond, Placers: len(f.placers)})
	t.Logf("the verdict:\n%s", verdict)
	if !verdict.OK() {
		t.Error("the guarantees did not hold")
	}
}

// run gives the jobs to the fleet while its processes are killed, and returns
// when everything has come to rest: which exec job belongs to which service.
func (f *fleet) run(jobs int, during time.Duration, seed uint64, long int) map[string]string {
	ctx, cancel := context.WithTimeout(f.t.Context(), during+5*patience)
	defer cancel()
	said, tails := f.follow(ctx)
	chaos, calm := context.WithTimeout(ctx, during)
	defer calm()

	var faults, givers sync.WaitGroup
	faults.Go(func() { f.torment(chaos, seed, long) })
	var mu sync.Mutex
	var given, services []string
	execOf := map[string]string{}
	give := func(o order) {
		givers.Go(func() {
			if err := f.give(ctx, o); err != nil {
				f.t.Error(err)
			}
		})
		mu.Lock()
		defer mu.Unlock()
		given = append(given, o.job.ID)
	}
	random := rand.New(rand.NewPCG(seed, 100))
	pace := time.NewTicker(during / time.Duration(jobs+1))
	defer pace.Stop()
	for n, waiting := 0, ""; n < jobs; n++ {
		if node := f.truth.running(waiting); waiting != "" && node != "" {
			o := execIn(waiting, node)
			execOf[waiting], waiting = o.job.ID, ""
			give(o)
		} else {
			o := f.mix(n, random)
			give(o)
			if strings.HasPrefix(o.job.ID, "service-") {
				services = append(services, o.job.ID)
				waiting = o.job.ID
			}
		}
		<-pace.C
	}
	givers.Wait()
	faults.Wait()
	f.settle(ctx, said, given, services)
	for _, tail := range tails {
		if err := tail.read(ctx); err != nil {
			f.t.Errorf("the last reading of %s: %v", tail.stream, err)
		}
	}
	return execOf
}

// settle waits until all tasks have ended, cancels the services, and waits for
// those. What does not come to rest in time is the checker's to judge.
func (f *fleet) settle(ctx context.Context, said *words, given, services []string) {
	service := map[string]bool{}
	for _, id := range services {
		service[id] = true
	}
	ended := func(which func(string) bool) func() (bool, string) {
		return func() (bool, string) {
			for _, id := range given {
				if which(id) && said.of(id) == "" {
					return false, "no last word on " + id
				}
			}
			return true, ""
		}
	}
	f.eventually("every task has ended", ended(func(id string) bool { return !service[id] }))
	for _, id := range services {
		if err := f.cancel(ctx, id); err != nil {
			f.t.Error(err)
		}
	}
	f.eventually("every service has ended", ended(func(string) bool { return true }))
	f.eventually("no container runs", func() (bool, string) {
		runs := f.truth.anyRuns()
		return runs == "", runs
	})
	f.eventually("no record is left", func() (bool, string) {
		live, err := f.live(ctx)
		if err != nil || len(live) == 0 {
			return err == nil, fmt.Sprint(err)
		}
		r := live[0]
		return false, fmt.Sprintf("%d records; %s is %s on %s, attempt %d, owing %v: %s", len(live), r.Job.ID, r.State, r.Node, r.Attempt, r.Fences, r.Reason)
	})
}

// workDir is where everything of a run is. It is kept when the test fails.
func workDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "shunt-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the history and the logs of all processes are in %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return dir
}

// setting is a whole number from the environment.
func setting(t *testing.T, name string, fallback int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		t.Fatalf("%s: %q is not a whole number", name, text)
	}
	return n
}
