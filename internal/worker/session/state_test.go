package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/session"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(d time.Duration) time.Time { return begin.Add(d) }

// drain is the input that is due, its end as a dot.
func drain(s *session.State) string {
	var b strings.Builder
	for {
		p, ok := s.Take()
		switch {
		case !ok:
			return b.String()
		case len(p.Data) == 0:
			b.WriteByte('.')
		default:
			b.Write(p.Data)
		}
	}
}

type piece struct {
	number uint64
	text   string
}

func TestInputIsPutInOrder(t *testing.T) {
	for name, c := range map[string]struct {
		put  []piece
		want string
	}{
		"in order":             {[]piece{{1, "a"}, {2, "b"}, {3, ""}}, "ab."},
		"turned round":         {[]piece{{2, "b"}, {3, "c"}, {1, "a"}}, "abc"},
		"twice":                {[]piece{{1, "a"}, {1, "x"}, {2, "b"}, {2, "x"}, {1, "x"}}, "ab"},
		"twice while it waits": {[]piece{{2, "b"}, {2, "x"}, {1, "a"}}, "ab"},
		"a gap":                {[]piece{{1, "a"}, {3, "c"}}, "a"},
		"the end comes early":  {[]piece{{3, ""}, {1, "a"}, {2, "b"}}, "ab."},
		"behind the end":       {[]piece{{1, ""}, {2, "x"}, {0, "x"}}, "."},
		"behind an early end":  {[]piece{{2, ""}, {3, "x"}, {1, "a"}}, "a."},
		"not counted":          {[]piece{{0, "a"}, {0, "b"}, {0, ""}}, "ab."},
		"counted now and then": {[]piece{{1, "a"}, {0, "b"}, {3, "c"}}, "abc"},
		"the end twice":        {[]piece{{1, ""}, {1, ""}}, "."},
	} {
		t.Run(name, func(t *testing.T) {
			s := session.New(begin)
			for _, p := range c.put {
				if err := s.Put(p.number, session.Piece{Data: []byte(p.text)}, begin); err != nil {
					t.Fatal(err)
				}
			}
			if got := drain(s); got != c.want {
				t.Errorf("the program reads %q, want %q", got, c.want)
			}
		})
	}
}

func TestInputThatWaitsIsBounded(t *testing.T) {
	s := session.New(begin)
	half := session.Piece{Data: make([]byte, session.MaxWaiting/2)}
	if err := s.Put(1, half, begin); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(2, half, begin); code(err) != messages.CodeResourceExhausted {
		t.Errorf("two halves of the most that may wait, and what counts beside them: %v, want resource_exhausted", err)
	}
	drain(s)
	if err := s.Put(2, half, begin); err != nil {
		t.Errorf("what was taken still counts: %v", err)
	}
	s = session.New(begin)
	for n := uint64(2); ; n++ {
		if err := s.Put(n, session.Piece{}, begin); err != nil {
			if n > session.MaxWaiting/session.Overhead+2 {
				t.Errorf("%d empty pieces wait for the first", n)
			}
			return
		}
	}
}

func code(err error) messages.Code {
	if err == nil {
		return ""
	}
	return messages.AsError(err).Code
}

func TestOutputKeepsToTheCredit(t *testing.T) {
	s := session.New(begin)
	spend := func(ready int, now time.Time, want int) {
		t.Helper()
		if got := s.Spend(ready, now); got != want {
			t.Errorf("%d of %d bytes may go, want %d", got, ready, want)
		}
	}
	spend(10, begin, 0)
	s.Give(0) // a beat
	spend(10, begin, 0)
	s.Give(4)
	spend(3, begin, 3)
	spend(3, begin, 1)
	spend(3, begin, 0)
	spend(3, at(time.Hour), 0)
	s.Give(1<<63 - 1)
	s.Give(1<<63 - 1) // more than there are numbers
	spend(5, begin, 5)
}

func TestWhoGivesNoCreditGetsTheOutput(t *testing.T) {
	s := session.New(begin)
	if got := s.Spend(7, at(session.Account-1)); got != 0 {
		t.Errorf("%d bytes go before the asker could give credit", got)
	}
	s.Give(0)
	if got := s.Spend(7, s.FreeAt()); got != 7 {
		t.Errorf("%d bytes go, want all: none of its messages gives credit", got)
	}
	s.Give(2)
	if got := s.Spend(7, at(time.Minute)); got != 2 {
		t.Errorf("%d bytes go after a credit of 2", got)
	}
}

func TestSilenceAndGapsEndASession(t *testing.T) {
	put := func(n uint64, now time.Duration) func(*session.State) {
		return func(s *session.State) {
			s.Hear(at(now))
			if err := s.Put(n, session.Piece{Data: []byte("x")}, at(now)); err != nil {
				t.Error(err)
			}
		}
	}
	beat := func(now time.Duration) func(*session.State) { return func(s *session.State) { s.Hear(at(now)) } }
	for name, c := range map[string]struct {
		done  []func(*session.State)
		until time.Duration
		want  messages.Code
	}{
		"silence":         {nil, session.Silence, messages.CodeDeadlineExceeded},
		"beats":           {[]func(*session.State){beat(5 * time.Second), beat(10 * time.Second)}, 25 * time.Second, messages.CodeDeadlineExceeded},
		"a gap":           {[]func(*session.State){put(2, time.Second)}, time.Second + session.Gap, messages.CodeDataLoss},
		"a gap, and more": {[]func(*session.State){put(2, time.Second), put(3, 3*time.Second)}, time.Second + session.Gap, messages.CodeDataLoss},
		"a gap filled":    {[]func(*session.State){put(2, time.Second), put(1, 2*time.Second)}, 17 * time.Second, messages.CodeDeadlineExceeded},
		"a late gap":      {[]func(*session.State){put(2, 0), put(1, 0), put(4, 12*time.Second)}, 17 * time.Second, messages.CodeDataLoss},
	} {
		t.Run(name, func(t *testing.T) {
			s := session.New(begin)
			for _, do := range c.done {
				do(s)
			}
			if got := s.Until().Sub(begin); got != c.until {
				t.Errorf("it may go on for %s, want %s", got, c.until)
			}
			if err := s.Over(at(c.until - 1)); err != nil {
				t.Errorf("it is over a moment too early: %v", err)
			}
			if got := code(s.Over(at(c.until))); got != c.want {
				t.Errorf("it is over with %q, want %q", got, c.want)
			}
		})
	}
}
