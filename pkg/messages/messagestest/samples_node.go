package messagestest

import "github.com/shunt-fleet/shunt/pkg/messages"

func nodeSamples() []Sample {
	return []Sample{
		sample(&messages.Lease{V: 1, Node: "linux-1", Incarnation: "4f1c2a.3", At: at(0), TTL: 10 * seconds, LostBy: "placer-1"},
			&messages.Lease{V: 1, Node: "linux-1", At: at(0)}),
		sample(fullCapabilities(), minimalCapabilities()),
		sample(&messages.PlacerBeat{V: 1, ID: "placer-1", At: at(0), Seq: 7},
			&messages.PlacerBeat{V: 1, ID: "placer-1", At: at(0)}),
		sample(&messages.Event{
			V: 1, At: at(0), Node: messages.PlacerNode, Kind: messages.EventPlaced,
			Job: "web-42", Attempt: 2, Container: "web-rep-1", Message: "on linux-1",
		}, &messages.Event{V: 1, At: at(0), Node: "linux-1", Kind: messages.EventNodeUp}),
	}
}

func fullCapabilities() *messages.Capabilities {
	return &messages.Capabilities{
		V: 1, Node: "linux-1", Incarnation: "4f1c2a.3", Seq: 812, At: at(0), Interval: 3 * seconds, TTL: 10 * seconds,
		Host: messages.Host{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348", CPUs: 8, Memory: 32 << 30},
		Platforms: []messages.RuntimePlatform{
			{Platform: messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348"}, Runtime: "primary"},
			{Platform: messages.Platform{OS: messages.Linux, Arch: "amd64"}, Runtime: "delegate"},
		},
		Free:   messages.Room{CPUMilli: 6500, Memory: 28 << 30, PIDs: 30000, GPU: 1},
		Total:  messages.Room{CPUMilli: 8000, Memory: 32 << 30, PIDs: 32768, GPU: 2},
		Labels: map[string]string{"zone": "a"}, Draining: true, Containers: 12,
		Images: []string{digest("a")}, XKey: "XAB", Version: "0.1.0",
	}
}

// minimalCapabilities is what a node says that can run nothing and leaves.
func minimalCapabilities() *messages.Capabilities {
	return &messages.Capabilities{
		V: 1, Node: "linux-1", Incarnation: "4f1c2a.3", At: at(0),
		Host:      messages.Host{OS: messages.Linux, Arch: "amd64"},
		Platforms: []messages.RuntimePlatform{},
	}
}
