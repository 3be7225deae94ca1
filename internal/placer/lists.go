package placer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// listJobs is a page of the records that match, each without its spec: of the
// live ones, or, for a state in which a job has ended, of those that are
// remembered.
func (p *Placer) listJobs(ctx context.Context, req messages.JobsRequest) (any, error) {
	match, err := p.liveJobs(&req), error(nil)
	if req.State.Ended() && req.State != "" {
		match, err = p.endedJobs(ctx, &req)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	jobs, next := messages.Paginate(match, req.Page, idOf)
	return messages.JobsReply{V: messages.Version, Jobs: jobs, Next: next}, nil
}

func idOf(r messages.Record) string { return r.Job.ID }

// liveJobs is the live records behind the cursor, in the order of ids; no more
// than a page and one.
func (p *Placer) liveJobs(req *messages.JobsRequest) []messages.Record {
	page := firsts{most: pageOf(req) + 1}
	p.records.each(func(rec *messages.Record) {
		if rec.Job.ID > req.Cursor && page.wants(rec.Job.ID) && req.Matches(rec) {
			page.add(rec)
		}
	})
	found := page.sorted()
	match := make([]messages.Record, len(found))
	for i, rec := range found {
		match[i] = specless(rec)
	}
	return match
}

func pageOf(req *messages.JobsRequest) int {
	if req.Limit == 0 {
		return messages.DefaultPageSize
	}
	return req.Limit
}

func specless(r *messages.Record) messages.Record {
	rec := *r
	rec.Job.Spec = nil
	return rec
}

// endedJobs is the records, behind the cursor and in the order of ids, that have
// ended in the state asked for; no more than a page and one. A job that was
// retried is what it has become since.
func (p *Placer) endedJobs(ctx context.Context, req *messages.JobsRequest) ([]messages.Record, error) {
	most := pageOf(req)
	var jobs []messages.Record
	for cursor := req.Cursor; ; {
		found, err := p.endedAfter(ctx, req, cursor, most+1)
		if err != nil {
			return nil, err
		}
		for _, rec := range found {
			later, err := p.outlived(ctx, rec)
			if err != nil {
				return nil, err
			}
			if !later {
				jobs = append(jobs, *rec)
			}
		}
		if len(found) <= most || len(jobs) > most {
			return jobs, nil
		}
		cursor = found[len(found)-1].Job.ID
	}
}

// outlived tells whether a later life of a dead job has ended: its dead letter
// stays, and is no longer how the job has ended.
func (p *Placer) outlived(ctx context.Context, rec *messages.Record) (bool, error) {
	if rec.State != messages.StateDead {
		return false, nil
	}
	word, err := p.ended(ctx, rec.Job.ID)
	return word != nil && word.Retries > rec.Retries, err
}

// endedAfter is the first records, at most that many, with ids behind the cursor.
func (p *Placer) endedAfter(ctx context.Context, req *messages.JobsRequest, cursor string, most int) ([]*messages.Record, error) {
	stream := messages.StreamDone
	if req.State == messages.StateDead {
		stream = messages.StreamDead
	}
	page := firsts{most: most}
	for stored, err := range p.cfg.Bus.All(ctx, p.cfg.Root.Stream(stream), p.subjectOf(stream, messages.Any)) {
		if err != nil {
			return nil, err
		}
		rec, err := endedRecord(stored.Data, p.cfg.Root.Token(stored.Subject, 1))
		if err != nil || rec.Job.ID <= cursor || !req.Matches(rec) {
			continue
		}
		if e, live := p.records.get(rec.Job.ID); !live {
			rec = settled(rec)
		} else if e.record.Retries > rec.Retries {
			continue
		}
		rec.Job.Spec = nil
		page.add(rec)
	}
	return page.sorted(), nil
}

// firsts keeps the records whose ids come first, of however many there are.
type firsts struct {
	most    int
	records []*messages.Record
	bound   string // an id from which on none can be among them; "": not known
}

// wants tells whether a record may be among the first.
func (f *firsts) wants(id string) bool { return f.bound == "" || id < f.bound }

func (f *firsts) add(r *messages.Record) {
	if f.records = append(f.records, r); len(f.records) > 4*f.most {
		f.records = f.sorted()
		f.bound = f.records[len(f.records)-1].Job.ID
	}
}

func (f *firsts) sorted() []*messages.Record {
	slices.SortFunc(f.records, func(a, b *messages.Record) int { return strings.Compare(a.Job.ID, b.Job.ID) })
	f.records = f.records[:min(len(f.records), f.most)]
	return f.records
}

// listNodes is a page of the nodes that match.
func (p *Placer) listNodes(_ context.Context, req messages.NodesRequest) (any, error) {
	now := time.Now()
	var match []messages.NodeInfo
	for n := range p.fleet.snapshot().All() {
		if n.Caps.Incarnation == "" || !hasLabels(n.Caps.Labels, req.Labels) {
			continue // one that was never heard has nothing to show
		}
		if req.Platform != nil && !peer.CanRun(&n.Caps, []messages.Platform{*req.Platform}) {
			continue
		}
		match = append(match, messages.NodeInfo{
			Capabilities: n.Caps, State: n.State, Age: messages.Duration(now.Sub(n.Heard).Round(time.Millisecond)),
		})
	}
	nodes, next := messages.Paginate(match, req.Page, func(n messages.NodeInfo) string { return n.Node })
	return messages.NodesReply{V: messages.Version, Nodes: nodes, Next: next}, nil
}

// hasLabels tells whether all the wanted labels are there, with their values.
func hasLabels(have, want map[string]string) bool {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != v {
			return false
		}
	}
	return true
}
