package placer

import (
	"fmt"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// BenchmarkAPageOfManyJobs is one page of 100,000 live jobs.
func BenchmarkAPageOfManyJobs(b *testing.B) {
	p := &Placer{records: newRecords()}
	for i := range 100_000 {
		id := fmt.Sprintf("job-%06d", i)
		p.records.set(id, &messages.Record{V: 1, State: messages.StatePending, Job: messages.Job{V: 1, ID: id, Op: messages.OpRun}, NotBefore: time.Now().Add(time.Hour)}, uint64(i+1))
	}
	for b.Loop() {
		req := messages.JobsRequest{V: 1, Page: messages.Page{Limit: messages.MaxPageSize, Cursor: "job-050000"}}
		if got := p.liveJobs(&req); len(got) != messages.MaxPageSize+1 {
			b.Fatal(len(got))
		}
	}
}
