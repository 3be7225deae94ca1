package placer

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

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
	jobs, next := messages.Paginate(match, req.Page, func(r messages.Record) string { return r.Job.ID })
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
