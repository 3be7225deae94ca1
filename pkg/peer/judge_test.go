package peer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// hearing is a fleet of n nodes, n00 on, heard at epoch, and its judge, settled
// an hour before.
func hearing(n int) (*Table, *Judge) {
	table := NewTable(0)
	for i := range n {
		table.Hear(beat(fmt.Sprintf("n%02d", i), "j", 1, 1), epoch)
	}
	j := NewJudge(table)
	j.Settled(epoch.Add(-time.Hour))
	return table, j
}

// again lets all nodes but the first few be heard again.
func again(table *Table, but, n int, seq uint64, now time.Time) {
	for i := but; i < n; i++ {
		table.Hear(beat(fmt.Sprintf("n%02d", i), "j", 1, seq), now)
	}
}

// look is what the judge says, as "lost: …; ask: …".
func look(j *Judge, now time.Time) string {
	lost, ask := j.Look(now)
	var names []string
	for _, n := range lost {
		names = append(names, n.Node)
	}
	return "lost: " + strings.Join(names, " ") + "; ask: " + strings.Join(ask, " ")
}

func TestJudge(t *testing.T) {
	const nobody = "lost: ; ask: "
	late := epoch.Add(ttl)
	for name, c := range map[string]struct {
		run  func(table *Table, j *Judge)
		at   time.Time
		want string
	}{
		"three of ten are lost":                    {func(table *Table, _ *Judge) { again(table, 3, 10, 2, late) }, late, "lost: n00 n01 n02; ask: "},
		"nobody is before the time-to-live":        {func(table *Table, _ *Judge) { again(table, 3, 10, 2, late) }, late.Add(-1), nobody},
		"four of ten are asked first":              {func(table *Table, _ *Judge) { again(table, 4, 10, 2, late) }, late, "lost: ; ask: n00 n01 n02 n03"},
		"no connection, no judgement":              {func(_ *Table, j *Judge) { j.Unsettled() }, late.Add(time.Hour), nobody},
		"a new connection listens first":           {func(_ *Table, j *Judge) { j.Settled(epoch.Add(1)) }, late, nobody},
		"a time-to-live after it is judged":        {func(table *Table, j *Judge) { j.Settled(epoch.Add(1)); again(table, 1, 10, 2, late) }, late.Add(1), "lost: n00; ask: "},
		"who was asked is not asked at once again": {func(_ *Table, j *Judge) { j.Look(late) }, late.Add(time.Second), nobody},
		"but a time-to-live later": {func(table *Table, j *Judge) {
			again(table, 4, 10, 2, late)
			j.Look(late)
			again(table, 4, 10, 3, late.Add(ttl))
		},
			late.Add(ttl), "lost: ; ask: n00 n01 n02 n03"},
		"who does not answer is lost": {func(table *Table, j *Judge) {
			again(table, 4, 10, 2, late)
			j.Look(late)
			j.Silent("n00")
			j.Silent("n02")
			j.Answered("n01", late)
		}, late.Add(1), "lost: n00 n02; ask: "},
		"who does not answer and is heard is not": {func(table *Table, j *Judge) {
			j.Look(late)
			j.Silent("n00")
			again(table, 0, 10, 2, late)
		}, late.Add(1), nobody},
		"an answer counts as heard": {func(table *Table, j *Judge) {
			again(table, 4, 10, 2, late)
			j.Look(late)
			for i := range 4 {
				j.Answered(fmt.Sprintf("n%02d", i), late)
			}
		}, late.Add(ttl - 1), nobody},
		"silence on a connection that broke is void": {func(_ *Table, j *Judge) {
			j.Look(late)
			j.Silent("n00")
			j.Settled(late)
			j.Silent("n01")
		}, late.Add(ttl - 1), nobody},
		"a few, and a few more soon after, are many": {func(table *Table, j *Judge) {
			again(table, 2, 4, 2, epoch.Add(time.Second))
			again(table, 4, 10, 2, late)
			j.Look(late)
		}, late.Add(time.Second), "lost: ; ask: n02 n03"},
		"a few, and a few more much later, are few": {func(table *Table, j *Judge) {
			again(table, 2, 10, 2, late)
			j.Look(late)
			again(table, 4, 10, 3, late.Add(ttl))
		}, late.Add(ttl), "lost: n02 n03; ask: "},
		"who is lost is not lost again": {func(table *Table, j *Judge) { again(table, 1, 10, 2, late); j.Look(late) }, late.Add(1), nobody},
		"who said goodbye is of no fleet": {func(table *Table, _ *Judge) {
			for i := 3; i < 10; i++ {
				table.Hear(beat(fmt.Sprintf("n%02d", i), "j", 1, 2, goodbye), late)
			}
		}, late, "lost: ; ask: n00 n01 n02"},
		"quarantined ones too": {func(table *Table, _ *Judge) {
			table.Hear(beat("n00", "k", 1, 1), epoch)
			table.Hear(beat("n00", "j", 1, 2), epoch)
			again(table, 1, 10, 2, late)
		}, late, "lost: n00; ask: "},
		"and expected ones": {func(table *Table, _ *Judge) { table.Expect("m", ttl, epoch); again(table, 0, 10, 2, late) }, late, "lost: m; ask: "},
		"who is forgotten is not judged": {func(table *Table, j *Judge) {
			j.Look(late)
			j.Silent("n00")
			table.Forget("n00")
			again(table, 1, 10, 2, late)
		}, late, nobody},
	} {
		t.Run(name, func(t *testing.T) {
			table, j := hearing(10)
			c.run(table, j)
			if got := look(j, c.at); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestALostNodeThatAnswersStaysLost(t *testing.T) {
	table, j := hearing(10)
	again(table, 1, 10, 2, epoch.Add(ttl))
	j.Look(epoch.Add(ttl))
	j.Answered("n00", epoch.Add(ttl))
	if n, _ := table.Get("n00"); n.State != lost {
		t.Errorf("it is %q", n.State)
	}
	if news, _ := table.Hear(beat("n00", "j", 1, 2), epoch.Add(ttl)); news.From != lost || news.To != alive {
		t.Errorf("its heartbeat makes it %+v", news)
	}
}

// ear is the judge again, without a thought for speed: everything that happened,
// and every rule as it is written.
type ear struct {
	heard   map[string]time.Time
	lost    map[string]time.Time
	silent  map[string]bool // asked, and no answer since it was heard
	asked   map[string]time.Time
	settled time.Time
}

func (e *ear) look(now time.Time) (lost, ask []string) {
	fleet, count := 0, 0
	var suspects []string
	for name, at := range e.heard {
		if gone, is := e.lost[name]; is {
			if now.Sub(gone) < ttl {
				fleet, count = fleet+1, count+1
			}
			continue
		}
		fleet++
		if !e.settled.IsZero() && now.Sub(at) >= ttl && now.Sub(e.settled) >= ttl {
			suspects, count = append(suspects, name), count+1
		}
	}
	slices.Sort(suspects)
	for _, name := range suspects {
		at, asked := e.asked[name]
		switch {
		case asked && !e.silent[name] && now.Sub(at) < ttl:
		case e.silent[name] || float64(count) <= 0.3*float64(fleet)+1e-9:
			lost = append(lost, name)
			e.lost[name] = now
			delete(e.silent, name)
			delete(e.asked, name)
		default:
			ask = append(ask, name)
			e.asked[name] = now
			delete(e.silent, name)
		}
	}
	return lost, ask
}

func (e *ear) speaks(name string, now time.Time) {
	e.heard[name] = now
	delete(e.asked, name)
	delete(e.silent, name)
}

func TestJudgeAgreesWithANaiveOne(t *testing.T) {
	losses, asks, fine := 0, 0, 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 6))
		n := 1 + rng.IntN(12)
		table, j := hearing(n)
		e := &ear{heard: map[string]time.Time{}, lost: map[string]time.Time{}, silent: map[string]bool{}, asked: map[string]time.Time{}, settled: epoch.Add(-time.Hour)}
		for i := range n {
			e.heard[fmt.Sprintf("n%02d", i)] = epoch
		}
		now, quiet := epoch, 0
		for step := range 300 {
			now = now.Add(1 + time.Duration(rng.Int64N(int64(ttl)/8)))
			name := fmt.Sprintf("n%02d", rng.IntN(n))
			if step%60 == 0 {
				quiet = rng.IntN(n + 1) // so many say nothing for a while
			}
			for i := quiet; i < n; i++ {
				speaker := fmt.Sprintf("n%02d", i)
				table.Hear(beat(speaker, "j", 1, uint64(step+2)), now)
				e.speaks(speaker, now)
				delete(e.lost, speaker)
			}
			switch rng.IntN(20) {
			case 0:
				j.Settled(now)
				e.settled = now
				clear(e.asked)
				clear(e.silent)
			case 1, 2:
				j.Answered(name, now)
				if _, gone := e.lost[name]; !gone {
					e.speaks(name, now)
				}
			case 3, 4, 5:
				j.Silent(name)
				if _, asked := e.asked[name]; asked {
					e.silent[name] = true
				}
			}
			lost, ask := e.look(now)
			want := "lost: " + strings.Join(lost, " ") + "; ask: " + strings.Join(ask, " ")
			if got := look(j, now); got != want {
				t.Fatalf("seed %d, step %d: %s, the naive judge says %s", seed, step, got, want)
			}
			losses, asks = losses+len(lost), asks+len(ask)
			fine += btoi(len(lost) > 1 && len(ask) == 0)
		}
	}
	if losses < 500 || asks < 500 || fine < 50 {
		t.Errorf("%d lost, %d asked, %d times several lost at once: the walk shows little", losses, asks, fine)
	}
}
