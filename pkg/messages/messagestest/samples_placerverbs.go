package messagestest

import "github.com/shunt-fleet/shunt/pkg/messages"

func placerVerbSamples() []Sample {
	listed := *fullRecord()
	listed.Job.Spec = nil // as records are listed
	return []Sample{
		sample(&messages.JobsRequest{
			V: 1, State: messages.StateRunning, Node: "linux-1", Service: "web", Labels: map[string]string{"team": "web"}, Page: fullPage,
		}, &messages.JobsRequest{V: 1}),
		sample(&messages.JobsReply{V: 1, Jobs: []messages.Record{listed}, Next: "web-42"},
			&messages.JobsReply{V: 1, Jobs: []messages.Record{}}),
		sample(&messages.JobRequest{V: 1, ID: "web-42", Reason: "superseded"}, &messages.JobRequest{V: 1, ID: "web-42"}),
		sample(&messages.ExplainRequest{V: 1, Job: fullJob()}, &messages.ExplainRequest{V: 1, ID: "web-42"}),
		sample(&messages.ExplainReply{V: 1, Chosen: "linux-1", Reason: "the only one", Nodes: []messages.NodeVerdict{
			{Node: "linux-1", OK: true, Score: 0.75, Parts: map[string]float64{"room": 0.75}},
			{Node: "win-1", Code: "platform", Reason: "linux/amd64 does not run here", Changed: true},
		}, More: 3}, &messages.ExplainReply{V: 1, Nodes: []messages.NodeVerdict{}}),
		sample(&messages.NodesRequest{
			V: 1, Labels: map[string]string{"zone": "a"}, Platform: &messages.Platform{OS: messages.Linux, Arch: "amd64"}, Page: fullPage,
		}, &messages.NodesRequest{V: 1}),
		sample(&messages.NodeRequest{V: 1, Node: "linux-1"}, &messages.NodeRequest{V: 1, Node: "n"}),
		sample(&messages.PlacerInfoReply{
			V: 1, ID: "placer-1", Version: "0.1.0", Placers: []string{"placer-1", "placer-2"}, XKey: "XAB",
			Counts: map[messages.State]int{messages.StatePending: 2},
		}, &messages.PlacerInfoReply{V: 1, ID: "placer-1", Placers: []string{}, Counts: map[messages.State]int{}}),
	}
}
