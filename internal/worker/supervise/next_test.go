package supervise

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// bench is a state machine at work, under a clock that the test moves.
type bench struct {
	t    *testing.T
	plan Plan
	s    State
	now  time.Time
}

func newBench(t *testing.T, kind messages.Kind, restart *messages.Restart, health *messages.Health) *bench {
	job := messages.Job{ID: "job", Attempt: 1, Kind: kind, Spec: &messages.Spec{Restart: restart, Health: health}}
	return &bench{t: t, plan: For(&job), now: epoch}
}

func always(limit int) *messages.Restart {
	return &messages.Restart{Policy: messages.RestartAlways, Max: limit}
}

func onFailure(limit int) *messages.Restart {
	return &messages.Restart{Policy: messages.RestartOnFailure, Max: limit}
}

// checked is a check every 4 s that may fail twice.
func checked() *messages.Health {
	return &messages.Health{TCP: &messages.HealthTCP{Port: 1}, Interval: messages.Duration(4 * time.Second), Retries: 2}
}

// see takes an event in and tells what is to be done, in short.
func (b *bench) see(ev Event) string {
	b.t.Helper()
	next, todo := Next(b.plan, b.s, ev, b.now)
	b.s = next
	var said []string
	for _, do := range todo {
		switch do := do.(type) {
		case Start:
			said = append(said, "start")
		case Check:
			said = append(said, "check")
		case Say:
			said = append(said, map[bool]string{true: "say healthy", false: "say not healthy"}[do.Healthy])
		case Tell:
			said = append(said, string(do.Kind))
		case End:
			said = append(said, map[bool]string{true: "end", false: "give up"}[do.Error == nil])
		}
	}
	return strings.Join(said, ", ")
}

func (b *bench) want(what string, ev Event, want string) {
	b.t.Helper()
	if got := b.see(ev); got != want {
		b.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (b *bench) runs() Event { return Runs{Began: b.now} }

func (b *bench) ended(code int) Event {
	return Ended{Began: b.s.Began, Finished: b.now, Code: code, Reason: messages.ExitExited}
}

func (b *bench) check(healthy bool) Event {
	return Checked{Began: b.s.Began, Healthy: healthy, Output: "so"}
}

func (b *bench) sleep(d time.Duration) { b.now = b.now.Add(d) }

// untilDue lets the time pass until something is due.
func (b *bench) untilDue() {
	b.t.Helper()
	if b.now = Wake(b.plan, b.s); b.now.IsZero() {
		b.t.Fatalf("nothing is due: %+v", b.s)
	}
}

// Which ends are followed by another start.
func TestPolicies(t *testing.T) {
	for name, c := range map[string]struct {
		policy messages.RestartPolicy
		max    int
		before int
		code   int
		reason messages.ExitReason
		asked  bool
		again  bool
	}{
		"no policy":                     {"", 0, 0, 1, messages.ExitExited, false, false},
		"no":                            {messages.RestartNo, 0, 0, 1, messages.ExitExited, false, false},
		"on_failure, a failure":         {messages.RestartOnFailure, 0, 9, 1, messages.ExitExited, false, true},
		"on_failure, a success":         {messages.RestartOnFailure, 0, 0, 0, messages.ExitExited, false, false},
		"on_failure, out of memory":     {messages.RestartOnFailure, 0, 0, 137, messages.ExitOOMKilled, false, true},
		"on_failure, a signal":          {messages.RestartOnFailure, 0, 0, 137, messages.ExitSignal, false, true},
		"on_failure, lost by a runtime": {messages.RestartOnFailure, 0, 0, 0, messages.ExitRuntimeError, false, true},
		"on_failure, asked for":         {messages.RestartOnFailure, 0, 0, 143, messages.ExitSignal, true, false},
		"on_failure, the last of 3":     {messages.RestartOnFailure, 3, 2, 1, messages.ExitExited, false, true},
		"on_failure, used up":           {messages.RestartOnFailure, 3, 3, 1, messages.ExitExited, false, false},
		"always, a success":             {messages.RestartAlways, 0, 0, 0, messages.ExitExited, false, true},
		"always, asked for":             {messages.RestartAlways, 0, 0, 0, messages.ExitExited, true, false},
		"always, used up":               {messages.RestartAlways, 1, 1, 0, messages.ExitExited, false, false},
		"unless_stopped, a success":     {messages.RestartUnlessStopped, 0, 0, 0, messages.ExitExited, false, true},
		"unless_stopped, asked for":     {messages.RestartUnlessStopped, 0, 0, 143, messages.ExitSignal, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			var restart *messages.Restart
			if c.policy != "" {
				restart = &messages.Restart{Policy: c.policy, Max: c.max}
			}
			b := newBench(t, messages.KindTask, restart, nil)
			b.s.Restarts = c.before
			b.want("it runs", b.runs(), "")
			if c.asked {
				b.want("its end is asked for", StopAsked{}, "")
			}
			want := "exited, end"
			if c.again {
				want = "exited"
			}
			b.want("it ends", Ended{Began: b.s.Began, Code: c.code, Reason: c.reason}, want)
			if b.s.Waiting() != c.again || b.s.Over == c.again {
				t.Errorf("it waits: %v, is over: %v; want it to be started again: %v", b.s.Waiting(), b.s.Over, c.again)
			}
		})
	}
}

// The delay doubles up to a minute, and starts over when a run has lasted.
func TestDelays(t *testing.T) {
	b := newBench(t, messages.KindTask, always(0), nil)
	b.want("it runs", b.runs(), "")
	for i, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		want := time.Duration(seconds) * time.Second
		b.sleep(9 * time.Second)
		b.want("it ends", b.ended(1), "exited")
		if got := b.s.Due.Sub(b.now); got > want || got < want*3/4 {
			t.Errorf("restart %d comes after %v, want %v less up to a quarter", i+1, got, want)
		}
		b.want("before its time", Tick{}, "")
		b.untilDue()
		b.want("its time has come", Tick{}, "start")
		b.want("it was started", b.runs(), "restarted")
	}
	b.sleep(longEnough)
	b.want("it ends after a while", b.ended(1), "exited")
	if got := b.s.Due.Sub(b.now); got > time.Second {
		t.Errorf("after a run that lasted the delay is %v", got)
	}
	if b.s.Restarts != 10 {
		t.Errorf("%d restarts are counted, want 10", b.s.Restarts)
	}
	again := newBench(t, messages.KindTask, &messages.Restart{Policy: messages.RestartAlways, Delay: messages.Duration(5 * time.Minute)}, nil)
	if d := again.plan.delay(4, 4); d > 5*time.Minute || d < 3*time.Minute {
		t.Errorf("a delay above the longest becomes %v", d)
	}
	if d := newBench(t, "", &messages.Restart{Policy: messages.RestartAlways, Delay: 1}, nil).plan.delay(0, 0); d < 75*time.Millisecond {
		t.Errorf("a delay of a nanosecond becomes %v", d)
	}
}

func TestAServiceIsSaidToRunWhenItIsHealthy(t *testing.T) {
	b := newBench(t, messages.KindService, nil, checked())
	b.want("it runs", b.runs(), "")
	b.want("at once", Tick{}, "check")
	b.want("while one is under way", Tick{}, "")
	b.want("it fails while it starts", b.check(false), "")
	if got := b.s.Health(); got.Status != "starting" || got.FailingStreak != 0 || got.LastOutput != "so" {
		t.Errorf("its health is %+v", got)
	}
	b.sleep(time.Second)
	b.want("a second later", Tick{}, "check")
	b.want("it passes", b.check(true), "healthy, say healthy")
	b.want("it passes again", b.check(true), "")
	b.sleep(3 * time.Second)
	b.want("before the interval is over", Tick{}, "")
	b.sleep(time.Second)
	b.want("after the interval", Tick{}, "check")
	b.want("a check that could not be made", Checked{Began: b.s.Began, Void: true}, "")
	b.want("one of another run", Checked{Began: epoch.Add(-1)}, "")
	b.want("a failure", b.check(false), "")
	b.want("another one", b.check(false), "unhealthy")
	b.want("one more", b.check(false), "")
	b.untilDue() // it was said to be healthy less than 10 s ago
	b.want("it has to be checked first", Tick{}, "check")
	b.untilDue()
	b.want("then it is said", Tick{}, "say not healthy")
	if b.now.Sub(epoch) != time.Second+sayEvery {
		t.Errorf("it is said after %v", b.now.Sub(epoch))
	}
	b.want("a success", b.check(true), "healthy")
	b.want("a failure does nothing yet", b.check(false), "")
	b.sleep(sayEvery)
	b.want("and later it is said", b.check(true), "say healthy")
}

func TestAServiceThatIsNeverHealthyIsGivenUp(t *testing.T) {
	check := checked()
	check.StartGrace = messages.Duration(30 * time.Second)
	b := newBench(t, messages.KindService, always(0), check)
	b.want("it runs", b.runs(), "")
	for b.now.Before(epoch.Add(30 * time.Second)) {
		b.want("its time to start is not over", b.check(false), "")
		b.untilDue()
	}
	b.want("a failure", b.check(false), "")
	next, todo := Next(b.plan, b.s, b.check(false), b.now)
	end, ok := todo[len(todo)-1].(End)
	if !ok || !next.Over || end.Error == nil {
		t.Fatalf("it goes on: %+v", todo)
	}
	if e := end.Error; e.Code != messages.CodeUnavailable || !e.Retryable || !strings.Contains(e.Message, "the last: so") {
		t.Errorf("it is given up with %+v", e)
	}
	task := newBench(t, messages.KindTask, nil, checked())
	task.want("a task runs", task.runs(), "")
	task.sleep(time.Minute)
	task.want("it fails", task.check(false), "")
	task.want("again", task.check(false), "unhealthy")
	task.want("it passes", task.check(true), "healthy")
}

// A service that is started again on its node is not healthy until its check
// says so.
func TestARestartIsNotHealthyUntilItsCheckPasses(t *testing.T) {
	b := newBench(t, messages.KindService, onFailure(5), checked())
	b.want("it runs", b.runs(), "")
	b.want("it is healthy", b.check(true), "healthy, say healthy")
	b.sleep(sayEvery)
	b.want("it ends", b.ended(1), "exited, say not healthy")
	b.untilDue()
	b.want("its time has come", Tick{}, "start")
	b.want("it was started", b.runs(), "restarted")
	b.want("the check of the run before", Checked{Began: epoch, Healthy: true}, "")
	b.sleep(sayEvery)
	b.want("it is healthy again", b.check(true), "healthy, say healthy")
	plain := newBench(t, messages.KindService, onFailure(5), nil)
	plain.want("one without a check runs", plain.runs(), "say healthy")
	plain.sleep(time.Minute)
	plain.want("it ends", plain.ended(1), "exited, say not healthy")
	plain.sleep(time.Minute)
	plain.want("it was started", plain.runs(), "restarted, say healthy")
}

func TestOpsAndRestarts(t *testing.T) {
	begin := func() *bench {
		b := newBench(t, messages.KindService, onFailure(1), nil)
		b.want("it runs", b.runs(), "say healthy")
		b.sleep(time.Minute)
		return b
	}
	b := begin()
	b.want("restart: it is taken in hand", Taken{}, "")
	b.want("restart: it ends", b.ended(143), "")
	b.want("restart: it is let go", LetGo{}, "")
	b.want("restart: it runs", b.runs(), "restarted")
	if b.s.Restarts != 0 {
		t.Errorf("a restart that was asked for counts as %d", b.s.Restarts)
	}
	b = begin()
	b.want("start: it ends", b.ended(1), "exited, say not healthy")
	b.want("start: it is taken in hand while it waits", Taken{}, "")
	b.sleep(time.Minute)
	b.want("start: the policy's time comes", Tick{}, "")
	b.want("start: it was started", b.runs(), "restarted, say healthy")
	b.want("start: it is let go", LetGo{}, "")
	b.want("start: it ends again", b.ended(1), "exited, end")
	b = begin()
	b.want("stop: it ends", b.ended(1), "exited, say not healthy")
	b.want("stop: it is stopped while it waits", StopAsked{}, "end")
	b.want("stop: nothing happens any more", b.runs(), "")
}

// What the next worker makes of a worker's record.
func TestResume(t *testing.T) {
	begin := func() *bench {
		b := newBench(t, messages.KindService, onFailure(2), checked())
		b.want("it runs", b.runs(), "")
		b.want("it is healthy", b.check(true), "healthy, say healthy")
		b.sleep(time.Minute)
		return b
	}
	killed := func(b *bench) { b.s = Resume(b.s.Record) }

	b := begin()
	killed(b)
	b.want("it runs on", Runs{Began: epoch}, "")
	b.want("it is still healthy", b.check(true), "")
	b.want("until it is not", b.check(false), "")
	b.want("for long", b.check(false), "unhealthy, say not healthy")

	b = begin()
	killed(b)
	b.want("it has ended meanwhile", Runs{Began: epoch}, "")
	b.want("how", b.ended(1), "exited, say not healthy")
	killed(b)
	if !b.s.SameRun(epoch, b.now) || !b.s.SameRun(epoch, time.Time{}) || b.s.SameRun(epoch.Add(1), b.now) || b.s.SameRun(epoch, b.now.Add(1)) {
		t.Error("the run that ended is not told from others")
	}
	b.want("it waits", Tick{}, "")
	b.untilDue()
	b.want("its time has come", Tick{}, "start")
	killed(b) // it was started, and nobody knows
	b.want("it runs", b.runs(), "restarted")
	if b.s.Restarts != 1 {
		t.Errorf("it has been restarted %d times, want 1", b.s.Restarts)
	}

	b = begin()
	b.want("it is taken in hand", Taken{}, "")
	killed(b)
	b.want("it has ended by then", Runs{Began: epoch, Gone: true}, "")
	b.want("how", b.ended(143), "exited, say not healthy")
	if b.s.Restarts != 0 || b.s.Due != b.now || b.s.InHand {
		t.Errorf("a restart that was cut short is not ended: %+v", b.s.Record)
	}

	b = begin()
	b.want("its end is asked for", StopAsked{}, "")
	killed(b)
	b.want("it has ended by then", Runs{Began: epoch}, "")
	b.want("how", b.ended(143), "exited, end")
}

func TestOverIsOver(t *testing.T) {
	for _, ev := range []Event{Runs{Began: epoch}, Ended{}, Checked{}, StopAsked{}, Taken{}, LetGo{}, Tick{}} {
		s := State{Over: true, Record: Record{Due: epoch}}
		next, todo := Next(Plan{Service: true}, s, ev, epoch)
		if next != s || todo != nil {
			t.Errorf("%s changes what is over: %+v, %v", fmt.Sprintf("%T", ev), next, todo)
		}
	}
	if at := Wake(Plan{}, State{Over: true, CheckAt: epoch}); !at.IsZero() {
		t.Errorf("what is over has something due at %v", at)
	}
}
