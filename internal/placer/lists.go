package placer

import (
	"context"
	"sort"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// replyBudget keeps a page well inside a message's limit, whatever its entries
// hold.
const replyBudget = messages.MaxMessageSize * 3 / 4

// page cuts a page from items in the order of their names: those behind the
// cursor, until the limit or the budget is reached. next is the cursor of the
// page after it, or "".
func page[T any](items []T, p messages.Page, name func(T) string) (cut []T, next string) {
	start := 0
	if p.Cursor != "" {
		start = sort.Search(len(items), func(i int) bool { return name(items[i]) > p.Cursor })
	}
	limit := p.Limit
	if limit == 0 {
		limit = messages.DefaultPageSize
	}
	size := 0
	cut = []T{}
	for i := start; i < len(items) && len(cut) < limit; i++ {
		data, err := messages.Encode(items[i])
		if err != nil {
			continue
		}
		if size += len(data); size > replyBudget && len(cut) > 0 {
			break
		}
		cut = append(cut, items[i])
	}
	if end := start + len(cut); len(cut) > 0 && end < len(items) {
		next = name(items[end-1])
	}
	return cut, next
}

// listJobs is a page of the live records that match, each without its spec.
func (p *Placer) listJobs(_ context.Context, req messages.JobsRequest) (any, error) {
	var match []messages.Record
	for _, e := range p.records.all() {
		if jobMatches(e.record, &req) {
			rec := *e.record
			rec.Job.Spec = nil
			match = append(match, rec)
		}
	}
	jobs, next := page(match, req.Page, func(r messages.Record) string { return r.Job.ID })
	return messages.JobsReply{V: messages.Version, Jobs: jobs, Next: next}, nil
}

func jobMatches(r *messages.Record, req *messages.JobsRequest) bool {
	if req.State != "" && r.State != req.State ||
		req.Node != "" && r.Node != req.Node ||
		req.Service != "" && r.Job.EffectiveService() != req.Service {
		return false
	}
	if len(req.Labels) == 0 {
		return true
	}
	if r.Job.Spec == nil {
		return false
	}
	return hasLabels(r.Job.Spec.Labels, req.Labels)
}

// listNodes is a page of the nodes that match.
func (p *Placer) listNodes(_ context.Context, req messages.NodesRequest) (any, error) {
	now := time.Now()
	var match []messages.NodeInfo
	for n := range p.fleet.snapshot().All() {
		if !hasLabels(n.Caps.Labels, req.Labels) {
			continue
		}
		if req.Platform != nil && !peer.CanRun(&n.Caps, []messages.Platform{*req.Platform}) {
			continue
		}
		match = append(match, messages.NodeInfo{
			Capabilities: n.Caps, State: n.State, Age: messages.Duration(now.Sub(n.Heard).Round(time.Millisecond)),
		})
	}
	nodes, next := page(match, req.Page, func(n messages.NodeInfo) string { return n.Node })
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
