package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"text/tabwriter"
	"time"
)

// phaseJobs is how many jobs of each contestant an iteration of BenchmarkPhases
// takes apart.
const phaseJobs = 40

// BenchmarkPhases shows where the time of one job goes, with nothing else under
// way: of the bare client by its own clock, of shunt by the events that placer
// and worker publish.
func BenchmarkPhases(b *testing.B) {
	all := contestants(b)
	client, shunt := all[0], all[2]
	for _, c := range []contestant{client, shunt} {
		measure(b, c, warmUp, 1)
	}
	watch, err := watchFleet(shunt.runner.(*fleet))
	if err != nil {
		b.Fatal(err)
	}
	took := []*phases{{name: client.name}, {name: shunt.name}}
	b.ResetTimer()
	for b.Loop() {
		for range phaseJobs {
			if err := client.runner.(*bare).phases(b.Context(), took[0]); err != nil {
				b.Fatal(err)
			}
			if err := watch.phases(b.Context(), took[1]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, p := range took {
		p.print(os.Stdout)
	}
}

// phases are the parts of a job, in their order, and what each took.
type phases struct {
	name  string
	order []string
	took  map[string][]time.Duration
}

func (p *phases) add(phase string, d time.Duration) {
	if p.took == nil {
		p.took = map[string][]time.Duration{}
	}
	if p.took[phase] == nil {
		p.order = append(p.order, phase)
	}
	p.took[phase] = append(p.took[phase], d)
}

func (p *phases) print(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "\n%s\tp50\tp90\n", p.name)
	for _, phase := range p.order {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", phase, rounded(quantile(p.took[phase], 0.5)), rounded(quantile(p.took[phase], 0.9)))
	}
	_ = tw.Flush()
}

// phases runs one container as run does, and takes the time in between.
func (r *bare) phases(ctx context.Context, p *phases) error {
	last := time.Now()
	r.step = func(phase string) {
		now := time.Now()
		p.add(phase, now.Sub(last))
		last = now
	}
	defer func() { r.step = nil }()
	begun := last
	known, err := r.run(ctx, nextID())
	if err == nil {
		p.add("= until the exit is known", known.Sub(begun))
		p.add("= until all is cleared up", last.Sub(begun))
	}
	return err
}
