package worker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/supervise"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// named is the container that a request names: by its own name, or by a second
// one that a rename gave it.
func (w *Worker) named(ctx context.Context, name string) (runtime.Details, error) {
	if id, ok := runtime.ParseContainerID(name); ok {
		return w.cfg.Runtime.Inspect(ctx, id)
	}
	held, err := w.cfg.Runtime.List(ctx)
	if err != nil {
		return runtime.Details{}, err
	}
	for _, c := range held {
		if c.Name == name {
			return w.cfg.Runtime.Inspect(ctx, c.ID)
		}
	}
	return runtime.Details{}, fmt.Errorf("container: no container %q is on this node: %w", name, errdefs.ErrNotFound)
}

func (w *Worker) list(ctx context.Context, req messages.ListRequest) (any, error) {
	held, err := w.cfg.Runtime.List(ctx)
	if err != nil {
		return nil, err
	}
	infos := make([]messages.ContainerInfo, 0, len(held))
	for i := range held {
		if req.All || !held[i].State.Phase.Ended() {
			infos = append(infos, containerInfo(&held[i], w.healthOf(&held[i])))
		}
	}
	slices.SortFunc(infos, func(a, b messages.ContainerInfo) int { return strings.Compare(a.Container, b.Container) })
	cut, next := messages.Paginate(infos, req.Page, func(c messages.ContainerInfo) string { return c.Container })
	return messages.ListReply{V: messages.Version, Containers: cut, Next: next}, nil
}

// healthOf is what the worker knows of a container's health: runtimes do not
// check by themselves. It is nil for one that has no check, or does not run.
func (w *Worker) healthOf(c *runtime.Container) *messages.HealthStatus {
	at := w.attempts.get(journal.Key{Job: c.Owner.Job, Attempt: c.Owner.Attempt})
	if at == nil || c.State.Phase.Ended() {
		return nil
	}
	return at.health()
}

func containerInfo(c *runtime.Container, health *messages.HealthStatus) messages.ContainerInfo {
	runs := c.State.Phase == runtime.PhaseRunning
	return messages.ContainerInfo{
		Container: c.ID.String(), Job: c.Owner.Job, Attempt: c.Owner.Attempt,
		State: string(c.State.Phase), Healthy: runs && (health == nil || health.Status == string(supervise.Healthy)),
		Image: c.Image, Runtime: c.Runtime, Created: c.CreatedAt,
	}
}

func (w *Worker) inspect(ctx context.Context, req messages.ContainerRequest) (any, error) {
	d, err := w.named(ctx, req.Container)
	if err != nil {
		return nil, err
	}
	health := w.healthOf(&d.Container)
	reply := messages.InspectReply{
		V: messages.Version, ContainerInfo: containerInfo(&d.Container, health),
		PID: d.PID, IP: d.IP, StartedAt: d.StartedAt, FinishedAt: d.FinishedAt,
		ImageDigest: d.ImageDigest, Platform: d.Platform, Ports: d.Ports, Networks: d.Networks,
		Health: health, Labels: d.Labels, Service: d.ID.Service, Replica: d.ID.Replica, Spec: d.Spec,
	}
	reply.ExitCode, reply.ExitReason = exit(&d)
	return reply, nil
}

func (w *Worker) state(ctx context.Context, req messages.ContainerRequest) (any, error) {
	d, err := w.named(ctx, req.Container)
	if err != nil {
		return nil, err
	}
	reply := messages.StateReply{V: messages.Version, State: string(d.State.Phase), PID: d.PID, IP: d.IP}
	reply.ExitCode, reply.ExitReason = exit(&d)
	return reply, nil
}

// exit is how a container ended, if it has.
func exit(d *runtime.Details) (*int, messages.ExitReason) {
	if d.State.Phase != runtime.PhaseExited {
		return nil, d.ExitReason
	}
	return &d.State.ExitCode, d.ExitReason
}

func (w *Worker) images(ctx context.Context, req messages.ImagesRequest) (any, error) {
	images, err := w.cfg.Runtime.ListImages(ctx)
	if err != nil {
		return nil, err
	}
	name := func(i messages.ImageInfo) string { return i.Reference + " " + i.Digest + " " + i.Runtime }
	slices.SortFunc(images, func(a, b messages.ImageInfo) int { return strings.Compare(name(a), name(b)) })
	cut, next := messages.Paginate(images, req.Page, name)
	return messages.ImagesReply{V: messages.Version, Images: cut, Next: next}, nil
}

func (w *Worker) listPeers(_ context.Context, req messages.PeersRequest) (any, error) {
	now := time.Now()
	var nodes []messages.NodeInfo
	for n := range w.peers.snapshot(now).All() {
		nodes = append(nodes, messages.NodeInfo{
			Capabilities: n.Caps, State: n.State, Age: messages.Duration(now.Sub(n.Heard).Round(time.Millisecond)),
		})
	}
	cut, next := messages.Paginate(nodes, req.Page, func(n messages.NodeInfo) string { return n.Node })
	return messages.NodesReply{V: messages.Version, Nodes: cut, Next: next}, nil
}
