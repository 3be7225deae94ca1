package bench

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// table is the results of all contestants at one concurrency; the first one is
// what the others are measured against.
type table struct {
	atOnce      int
	contestants []contestant
	results     []samples
}

// report gives the figures to the benchmark, under names that tools can compare
// from run to run.
func (t table) report(b *testing.B) {
	b.ReportMetric(0, "ns/op") // of a whole measurement, which says nothing
	first := &t.results[0]
	for i, c := range t.contestants {
		r, unit := &t.results[i], "/"+strings.NewReplacer(" ", "-", ",", "", "'", "").Replace(c.name)
		b.ReportMetric(milliseconds(quantile(r.whole, 0.5)), "ms-p50"+unit)
		b.ReportMetric(milliseconds(quantile(r.whole, 0.9)), "ms-p90"+unit)
		b.ReportMetric(r.rate(), "jobs/s"+unit)
		if i > 0 {
			b.ReportMetric(ratio(r, first), "ratio-p50"+unit)
			b.ReportMetric(r.rate()/first.rate(), "ratio-jobs/s"+unit)
		}
	}
}

// ratio compares the medians of whole jobs.
func ratio(r, first *samples) float64 {
	return float64(quantile(r.whole, 0.5)) / float64(quantile(first.whole, 0.5))
}

// print writes the table for people. Ratios are to the first line.
func (t table) print(w io.Writer) {
	first := &t.results[0]
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "\n%d at once, %d jobs each\texit known p50\tp50\tp90\tjobs/s\tp50 ratio\tjobs/s ratio\t\n", t.atOnce, first.jobs)
	for i, c := range t.contestants {
		r := &t.results[i]
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%.1f\t%.2f\t%.2f\t\n", c.name, rounded(quantile(r.known, 0.5)),
			rounded(quantile(r.whole, 0.5)), rounded(quantile(r.whole, 0.9)), r.rate(), ratio(r, first), r.rate()/first.rate())
	}
	_ = tw.Flush()
}

func rounded(d time.Duration) string { return fmt.Sprintf("%.1f ms", milliseconds(d)) }
