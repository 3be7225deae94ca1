package messagestest

import "github.com/shunt-fleet/shunt/pkg/messages"

var fullPage = messages.Page{Limit: 50, Cursor: "web-rep-1"}

func workerVerbSamples() []Sample {
	tail := 100
	return []Sample{
		sample(&messages.ListRequest{V: 1, All: true, Page: fullPage}, &messages.ListRequest{V: 1}),
		sample(&messages.ListReply{V: 1, Containers: []messages.ContainerInfo{fullContainer()}, Next: "web-rep-1"},
			&messages.ListReply{V: 1, Containers: []messages.ContainerInfo{}}),
		sample(&messages.ContainerRequest{V: 1, Container: "web-rep-1"}, &messages.ContainerRequest{V: 1, Container: "c"}),
		sample(fullInspect(), &messages.InspectReply{V: 1, ContainerInfo: messages.ContainerInfo{Container: "c", State: "running"}}),
		stateSample(),
		sample(&messages.StatsRequest{V: 1, Container: "web-rep-1", Stream: true}, &messages.StatsRequest{V: 1, Container: "c"}),
		sample(&messages.Stats{
			V: 1, CPUUsageUsec: 1e6, MemoryBytes: 1 << 20, MemoryLimit: 1 << 28, PIDs: 4,
			IO: messages.IOStats{ReadBytes: 1, WriteBytes: 2}, Network: messages.NetStats{RxBytes: 3, TxBytes: 4}, At: at(0),
		}, &messages.Stats{V: 1, At: at(0)}),
		sample(&messages.ImagesRequest{V: 1, Page: fullPage}, &messages.ImagesRequest{V: 1}),
		imagesSample(),
		sample(&messages.LogsRequest{V: 1, Container: "web-rep-1", Tail: &tail, Follow: true, Since: at(0)},
			&messages.LogsRequest{V: 1, Job: "web-42"}),
		sample(&messages.ExecRequest{
			V: 1, Container: "web-rep-1", Cmd: []string{"sh", "-c", "ls"}, TTY: true, Stdin: true,
			Env: map[string]string{"A": "1"}, Workdir: "/srv", User: "web",
		}, &messages.ExecRequest{V: 1, Container: "c", Cmd: []string{"ls"}}),
		sample(&messages.ExecSession{Session: "s-1"}, &messages.ExecSession{Session: "s"}),
		sample(&messages.ExecResize{V: 1, Rows: 24, Cols: 80}, &messages.ExecResize{V: 1, Rows: 1, Cols: 1}),
		sample(&messages.ExecSignal{V: 1, Signal: "INT"}, &messages.ExecSignal{V: 1, Signal: "2"}),
		sample(&messages.ExecCredit{V: 1, Bytes: 65536}, &messages.ExecCredit{V: 1}),
		sample(&messages.WaitRequest{V: 1, Container: "web-rep-1", Condition: messages.WaitRemoved, Timeout: 30 * seconds},
			&messages.WaitRequest{V: 1, Container: "c"}),
		sample(&messages.WaitReply{V: 1, ExitCode: 137, ExitReason: messages.ExitSignal, Signal: 9, FinishedAt: at(1)},
			&messages.WaitReply{V: 1, ExitReason: messages.ExitExited}),
		sample(&messages.EventsRequest{V: 1, Kinds: []messages.EventKind{messages.EventExited}}, &messages.EventsRequest{V: 1}),
		sample(&messages.PeersRequest{V: 1, Page: fullPage}, &messages.PeersRequest{V: 1}),
		sample(&messages.NodesReply{V: 1, Nodes: []messages.NodeInfo{{
			Capabilities: *fullCapabilities(), Age: 2 * seconds, State: messages.NodeDraining,
		}}, Next: "linux-1"}, &messages.NodesReply{V: 1, Nodes: []messages.NodeInfo{}}),
		sample(&messages.EmptyRequest{V: 1}, &messages.EmptyRequest{V: 1}),
		infoSample(),
		sample(&messages.AttemptRequest{V: 1, Job: "web-42", Attempt: 2}, &messages.AttemptRequest{V: 1, Job: "web-42"}),
		sample(&messages.DrainRequest{V: 1, Node: "linux-1", Timeout: 60 * seconds}, &messages.DrainRequest{V: 1}),
		sample(&messages.DrainReply{V: 1, Node: "linux-1", Draining: true, Left: 3}, &messages.DrainReply{V: 1}),
	}
}

func fullContainer() messages.ContainerInfo {
	return messages.ContainerInfo{
		Container: "web-rep-1", Job: "web-42", Attempt: 2, State: "running", Healthy: true,
		Image: "registry.example/team/web:1.4", Runtime: "primary", Created: at(0),
	}
}

func fullInspect() *messages.InspectReply {
	exit := 1
	return &messages.InspectReply{
		V: 1, ContainerInfo: fullContainer(),
		ExitCode: &exit, ExitReason: messages.ExitExited, PID: 4711, IP: "10.4.0.2", StartedAt: at(1), FinishedAt: at(2),
		ImageDigest: digest("a"), Platform: messages.Platform{OS: messages.Linux, Arch: "amd64"},
		Ports:    []messages.Port{{Container: 8080, Host: 18080, Protocol: "tcp", HostIP: "0.0.0.0"}},
		Networks: []messages.Network{{Network: "default", Aliases: []string{"web"}, IPv4: "10.4.0.2"}},
		Health:   &messages.HealthStatus{Status: "unhealthy", FailingStreak: 2, LastOutput: "503"},
		Labels:   map[string]string{"team": "web"}, Service: "web", Replica: 1, Spec: fullSpec(),
	}
}

func stateSample() Sample {
	exit := 1
	return sample(&messages.StateReply{
		V: 1, State: "exited", ExitCode: &exit, ExitReason: messages.ExitExited, PID: 4711, IP: "10.4.0.2",
	}, &messages.StateReply{V: 1, State: "created"})
}

func imagesSample() Sample {
	return sample(&messages.ImagesReply{V: 1, Images: []messages.ImageInfo{{
		Reference: "registry.example/team/web:1.4", Digest: digest("a"), Size: 12345,
		Platforms: []messages.Platform{{OS: messages.Linux, Arch: "amd64"}}, Runtime: "primary",
	}}, Next: "web"}, &messages.ImagesReply{V: 1, Images: []messages.ImageInfo{}})
}

func infoSample() Sample {
	return sample(&messages.InfoReply{
		V: 1, Node: "linux-1", Version: "0.1.0", Incarnation: "4f1c2a.3",
		Runtimes: []messages.RuntimeInfo{{
			Name: "primary", Kind: "containerd", Version: "2.4.2",
			Platforms: []messages.Platform{{OS: messages.Linux, Arch: "amd64"}}, Error: "not reachable", Warnings: []string{"containers run without a seccomp filter"},
		}},
		Policy: map[string]string{"privileged": "no"}, XKey: "XAB",
	}, &messages.InfoReply{V: 1, Node: "linux-1", Incarnation: "4f1c2a.3", Runtimes: []messages.RuntimeInfo{}})
}
