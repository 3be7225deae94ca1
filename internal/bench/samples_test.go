package bench

import (
	"slices"
	"testing"
	"time"
)

// samples is what was measured of one contestant at one concurrency.
type samples struct {
	known []time.Duration // until the job's end was known to the one who asked
	whole []time.Duration // until that one could go on to the next job
	jobs  int
	spent time.Duration // on all blocks, their clearing up included
}

// add takes in the result of one block.
func (s *samples) add(b samples) {
	s.known = append(s.known, b.known...)
	s.whole = append(s.whole, b.whole...)
	s.jobs += b.jobs
	s.spent += b.spent
}

// rate is jobs per second.
func (s *samples) rate() float64 { return float64(s.jobs) / s.spent.Seconds() }

// quantile is the smallest sample that at least the share q of all does not
// exceed; 0 when there is none.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	rank := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func TestQuantile(t *testing.T) {
	ten := make([]time.Duration, 10)
	for i := range ten {
		ten[i] = time.Duration(10 - i)
	}
	for _, c := range []struct {
		of   []time.Duration
		q    float64
		want time.Duration
	}{
		{nil, 0.5, 0}, {ten[:1], 0.9, 10}, {ten, 0, 1}, {ten, 0.5, 5}, {ten, 0.51, 6}, {ten, 0.9, 9}, {ten, 1, 10},
	} {
		if got := quantile(c.of, c.q); got != c.want {
			t.Errorf("quantile %v of %v is %d, want %d", c.q, c.of, got, c.want)
		}
	}
}
