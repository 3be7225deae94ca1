package messagestest

import (
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func jobSamples() []Sample {
	return []Sample{
		sample(fullJob(), minimalJob()),
		sample(&messages.Cancel{V: 1, Reason: "superseded"}, &messages.Cancel{V: 1}),
		sample(fullOutcome(), &messages.Outcome{
			V: 1, Job: "web-42", Node: "win-1", Attempt: 1, Seq: 1, Status: messages.StatusAccepted, At: at(1),
		}),
		sample(fullRecord(), &messages.Record{
			V: 1, Job: *minimalJob(), State: messages.StatePending, Created: at(0), Updated: at(0),
		}),
		sample(&messages.NameClaim{Job: "web-42", Next: "web-43"}, &messages.NameClaim{Job: "web-42"}),
	}
}

var fingerprint = strings.Repeat("0123456789abcdef", 4)

func minimalJob() *messages.Job {
	return &messages.Job{V: 1, ID: "web-42", Op: messages.OpRun, Spec: &messages.Spec{Image: "web"}}
}

func fullJob() *messages.Job {
	return &messages.Job{
		V: 1, ID: "web-42", Op: messages.OpRun, Kind: messages.KindTask, Service: "web", Replica: 1,
		Spec:   fullSpec(),
		Args:   messages.Args{Replace: true},
		Target: "win-1",
		Requires: messages.Requires{
			Labels: map[string]string{"disk": "ssd"},
			Prefer: map[string]string{"zone": "a"},
		},
		Timeout: 90 * seconds, Retain: 60 * seconds,
		Policy: messages.Policy{
			MaxAttempts: 5, Deadline: 3600 * seconds, Reroute: messages.RerouteAuto,
			OnNodeLoss: messages.LossReschedule, OnPartition: messages.PartitionKeep,
			Idempotent: true, RetryExit: true,
			Backoff: messages.Backoff{Min: 1 * seconds, Max: 300 * seconds},
		},
		Created: at(0), Attempt: 2,
		Refused: []messages.Refusal{{
			Node: "win-1", Attempt: 1, Code: messages.RefusePlatform, Reason: "linux/amd64 does not run here", At: at(1),
		}},
		RefusedDropped: 3,
	}
}

func fullSpec() *messages.Spec {
	return &messages.Spec{
		Image: "registry.example/team/web:1.4", Pull: messages.PullIfNotPresent,
		Platform:   &messages.Platform{OS: messages.Linux, Arch: "amd64", OSVersion: "6.1"},
		Isolation:  messages.IsolationAuto,
		Entrypoint: []string{"/web"}, Args: []string{"--port", "8080", "<&>\u2028"},
		Env: map[string]string{"A": "1", "ÜBER": "straße 🚃"}, Workdir: "/srv", User: "web:web", Groups: []string{"video"},
		Resources: messages.Resources{CPUMilli: 500, Memory: 256 << 20, PIDs: 256, GPU: 1, CPUSet: "0-3,8"},
		Ports: []messages.Port{
			{Container: 8080, Host: 18080, Protocol: "tcp", HostIP: "0.0.0.0"},
			{Container: 53, Protocol: "udp"},
		},
		Mounts: []messages.Mount{
			{Type: messages.MountVolume, Source: "web-data", Target: "/data", Copy: "registry.example/team/web-data:live"},
			{Type: messages.MountBind, Source: `C:\certs`, Target: "/certs", ReadOnly: true},
			{Type: messages.MountTmpfs, Target: "/tmp", Size: 1 << 20},
			{Type: messages.MountAnonymous, Target: "/cache"},
		},
		Network: "container:web-rep-0", Hostname: "web-1", DNS: []string{"10.0.0.53", "fd00::53"},
		ExtraHosts: map[string]string{"db.internal": "10.0.0.7"},
		Restart:    &messages.Restart{Policy: messages.RestartOnFailure, Max: 3, Delay: 1 * seconds},
		Health: &messages.Health{
			HTTP:     &messages.HealthHTTP{Port: 8080, Path: "/healthz"},
			Interval: 5 * seconds, Timeout: 2 * seconds, Retries: 3, StartGrace: 5 * seconds,
		},
		StopSignal: "SIGRTMIN+3", StopGrace: 10 * seconds,
		ReadOnly: true, TTY: true, Stdin: true, Privileged: true, NoNewPrivileges: true,
		CapAdd: []string{"NET_ADMIN"}, CapDrop: []string{"ALL"}, Devices: []string{"/dev/fuse:/dev/fuse:rw"},
		Sysctls: map[string]string{"net.core.somaxconn": "1024"},
		Ulimits: map[string]messages.Ulimit{"nofile": {Soft: 1024, Hard: 4096}},
		Labels:  map[string]string{"team": "web"},

		RegistryAuth: &messages.SealedAuth{Sealed: "eGtleSBib3g="},
	}
}

func fullOutcome() *messages.Outcome {
	exit, yes, no := 137, true, false
	return &messages.Outcome{
		V: 1, Job: "web-42", Op: messages.OpRun, Node: "win-1", Attempt: 2, Seq: 3,
		Status: messages.StatusRouteToPeer, At: at(2),
		Route: &messages.RouteToPeer{
			Service: "web", RequiredOS: messages.Linux, RequiredArch: "amd64",
			Code: messages.RefusePlatform, Reason: "--install-wsl yes on this node, or a Linux peer in the cluster",
			Peers:     []string{"linux-1", "linux-2"},
			Platforms: []messages.Platform{{OS: messages.Linux, Arch: "amd64"}, {OS: messages.Linux, Arch: "arm64"}},
		},
		Error: &messages.Error{Code: messages.CodeNotFound, Message: "no such image", Field: "spec.image", Retryable: true},
		Result: &messages.Result{
			Runtime: "primary", StartedAt: at(1), FinishedAt: at(2),
			Container: "web-rep-1", State: "exited", Healthy: &no, Restarts: 3, ExitCode: &exit, ExitReason: messages.ExitOOMKilled, Changed: &yes,
			Ports: []messages.Port{{Container: 8080, Host: 18080, Protocol: "tcp", HostIP: "0.0.0.0"}}, IP: "10.4.0.2",
			ImageDigest: digest("a"), Size: 12345, Stdout: "hello\n", Stderr: "oh\n", Truncated: true,
			Volumes: []messages.VolumeBytes{{
				Name: "web-data", Bytes: 4096, Copy: "registry.example/team/web-data:live", Digest: digest("c"), Reason: "the registry does not answer",
			}},
			Deleted: []string{digest("b")}, Reclaimed: 1 << 20, Stopped: &yes,
		},
		JobBody:     minimalJob(),
		Fingerprint: fingerprint,
	}
}

func fullRecord() *messages.Record {
	exit := 0
	return &messages.Record{
		V: 1, Job: *fullJob(), State: messages.StateRunning, Healthy: true, Node: "linux-1", Attempt: 2, Starts: 1,
		Reason: "placed on linux-1",
		Outcome: &messages.Outcome{
			V: 1, Job: "web-42", Node: "linux-1", Attempt: 2, Seq: 2, Status: messages.StatusRunning, At: at(3),
			Result: &messages.Result{ExitCode: &exit},
		},
		Successor: &messages.Successor{Node: "linux-2", Attempt: 3, Journal: "M5ZQ2A7C", Accepted: true},
		Fences:    []messages.Fence{{Node: "win-7", Attempt: 1, Expired: true}},
		Created:   at(0), Updated: at(3),
		History: []messages.History{{
			At: at(1), Node: "win-1", Attempt: 1, Event: "route_to_peer", Code: "platform", Reason: "linux/amd64 does not run here",
		}},
		HistoryDropped: 7,
		Fingerprint:    fingerprint,
		Journal:        "K4XSPFZB",
		NotBefore:      at(4),
		Highest:        3,
		Order:          12,
		Cancelled:      14,
		Ending:         messages.StateCancelled,
		HealthySince:   at(3),
		Retries:        1,
		Named:          true,
		Replaces:       &messages.Replaced{Job: "web-41", Node: "linux-3", Life: 1},
		Home:           messages.Home{Node: "linux-1", Attempt: 2},
		Platforms:      []messages.Platform{{OS: messages.Linux, Arch: "amd64"}},
	}
}
