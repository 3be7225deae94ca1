package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shunt-fleet/shunt/internal/worker/policy"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// admit decides whether this node takes a job that looks for a node. It is the
// exact counterpart of placement's optimistic filters; no route means yes. The
// decision is where the container is to run, or nil where that has to be found
// out by doing it.
func (w *Worker) admit(ctx context.Context, job *messages.Job, auth *messages.RegistryAuth) (*runtime.Decision, *messages.RouteToPeer) {
	if w.attempts.isClosed() {
		return nil, noNewWork(job)
	}
	if r := refuse(job, w.cfg.Labels, w.cfg.Policy); r != nil {
		return nil, r
	}
	ctx, cancel := context.WithTimeout(ctx, w.cfg.DecideWithin)
	defer cancel()
	d, err := w.cfg.Runtime.Decide(ctx, job.EffectiveService(), job.Spec, auth)
	if verdict, ok := errors.AsType[*runtime.RouteToPeerError](err); ok {
		return nil, w.routeToPeer(verdict)
	}
	// Whatever else is wrong may pass, or is the job's own failure: it is
	// accepted, and found out by doing it.
	if err != nil || d.Unknown != nil {
		return nil, nil
	}
	if underLease(job) && w.unguarded(d.Member) {
		return nil, refusal(job, messages.RefusePolicy, "%s", unguardedReason(d.Member))
	}
	return &d, nil
}

// refusal words a refusal.
func refusal(job *messages.Job, code messages.RefuseCode, format string, args ...any) *messages.RouteToPeer {
	return &messages.RouteToPeer{
		Service: job.EffectiveService(), Code: code, Reason: messages.TruncateReason(fmt.Sprintf(format, args...)),
	}
}

// noNewWork is the refusal of a node that drains.
func noNewWork(job *messages.Job) *messages.RouteToPeer {
	return refusal(job, messages.RefuseDraining, "this node is draining and takes no new work")
}

// noRoom is the refusal for want of room.
func noRoom(job *messages.Job, free messages.Room) *messages.RouteToPeer {
	r := job.Spec.Resources
	return refusal(job, messages.RefuseCapacity,
		"the job asks for %d milli-CPU, %d bytes of memory, %d pids and %d GPUs; free are %d, %d, %d and %d",
		r.CPUMilli, r.Memory, r.PIDs, r.GPU, free.CPUMilli, free.Memory, free.PIDs, free.GPU)
}

// refuse checks what needs no I/O: labels and policy. Room is taken, and so
// checked, when the attempt begins.
func refuse(job *messages.Job, labels map[string]string, allowed *policy.Policy) *messages.RouteToPeer {
	want := job.Requires.Labels
	keys := make([]string, 0, len(want))
	for k := range want {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if have, ok := labels[k]; !ok {
			return refusal(job, messages.RefuseLabels, "this node has no label %s (wanted: %s)", k, want[k])
		} else if have != want[k] {
			return refusal(job, messages.RefuseLabels, "this node's label %s is %s (wanted: %s)", k, have, want[k])
		}
	}
	if reason, ok := allowed.Refuse(job.Spec); !ok {
		return refusal(job, messages.RefusePolicy, "%s", reason)
	}
	return nil
}

// routeToPeer is a runtime's verdict as it travels, with the peers that could.
func (w *Worker) routeToPeer(v *runtime.RouteToPeerError) *messages.RouteToPeer {
	// An image may be made for systems that the contract does not know; they
	// stay in the reason.
	platforms := slices.DeleteFunc(slices.Clone(v.Platforms), func(p messages.Platform) bool { return p.Validate() != nil })
	want := platforms
	if len(want) == 0 && v.RequiredOS != "" {
		want = []messages.Platform{{OS: v.RequiredOS, Arch: v.RequiredArch}}
	}
	return &messages.RouteToPeer{
		Service: v.Service, RequiredOS: v.RequiredOS, RequiredArch: v.RequiredArch,
		Code: v.Code, Reason: messages.TruncateReason(v.Reason), Platforms: platforms,
		Peers: w.peers.capable(want, w.cfg.Node),
	}
}
