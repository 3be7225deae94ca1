package messagestest

import "github.com/shunt-fleet/shunt/pkg/messages"

// Jobs has one valid job for every op, with all the arguments the op reads.
func Jobs() []*messages.Job {
	return []*messages.Job{
		replicaJob(messages.OpRun, messages.Args{Replace: true}),
		serviceJob(messages.OpCreate),
		serviceJob(messages.OpStart),
		containerJob(messages.OpStop, messages.Args{Timeout: 10 * seconds}),
		containerJob(messages.OpRestart, messages.Args{Timeout: 10 * seconds}),
		containerJob(messages.OpKill, messages.Args{Signal: "USR1"}),
		containerJob(messages.OpRemove, messages.Args{Force: true, Volumes: true}),
		containerJob(messages.OpRename, messages.Args{NewName: "web-old"}),
		containerJob(messages.OpExec, messages.Args{
			Cmd: []string{"sh", "-c", "ls"}, Env: map[string]string{"A": "1"}, Workdir: "/srv", User: "web", Timeout: 30 * seconds,
		}),
		containerJob(messages.OpSyncVolumes, messages.Args{Copy: "registry.example/team/data:1"}),
		imageJob(messages.OpPull, messages.Args{
			Image: "registry.example/team/web:1.4", Policy: messages.PullAlways,
			Platform: &messages.Platform{OS: messages.Linux, Arch: "amd64"},
		}),
		imageJob(messages.OpTag, messages.Args{Source: "registry.example/team/web:1.4", Target: "registry.example/team/web:stable"}),
		imageJob(messages.OpRemoveImage, messages.Args{Image: "registry.example/team/web:1.4", Force: true}),
		imageJob(messages.OpPrune, messages.Args{}),
		containerJob(messages.OpRevoke, messages.Args{Attempt: 2}),
	}
}

func replicaJob(op messages.Op, args messages.Args) *messages.Job {
	return &messages.Job{
		V: 1, ID: "web-42", Op: op, Service: "web", Replica: 1, Args: args,
		Spec: &messages.Spec{Image: "web", Health: &messages.Health{Command: []string{"true"}}},
	}
}

func serviceJob(op messages.Op) *messages.Job {
	job := replicaJob(op, messages.Args{Replace: true})
	job.Kind = messages.KindService
	job.Spec.Health = &messages.Health{TCP: &messages.HealthTCP{Port: 8080}}
	return job
}

// containerJob names its container in the job, except for exec, which shows
// the other way.
func containerJob(op messages.Op, args messages.Args) *messages.Job {
	job := &messages.Job{V: 1, ID: string(op) + "-7", Op: op, Container: "web-rep-1", Args: args}
	if op == messages.OpExec {
		job.Container, job.Args.Container = "", "web-rep-1"
	}
	return job
}

func imageJob(op messages.Op, args messages.Args) *messages.Job {
	return &messages.Job{V: 1, ID: "image-7", Op: op, Target: "linux-1", Args: args}
}
