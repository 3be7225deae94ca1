package runtimetest

import (
	"context"
	"slices"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// places are those that a runtime can bring a container to.
func (cfg Config) places() []place {
	if slices.Contains(cfg.Lacks, "Pause") || slices.Contains(cfg.Lacks, "Unpause") {
		return []place{absent, created, running, exited}
	}
	return []place{absent, created, running, paused, exited}
}

// bring makes a container and brings it to a place. Its program runs until it
// is killed, in each of its lives. An absent one was there and was removed.
func (s *scene) bring(p place) runtime.ContainerID {
	s.Helper()
	id := s.created("sleep", "3600")
	if p == running || p == paused || p == exited {
		s.must(s.rt.Start(s.ctx, id))
	}
	switch p {
	case paused:
		s.must(s.rt.Pause(s.ctx, id))
	case exited:
		s.must(s.rt.Stop(s.ctx, id, 0))
	case absent:
		s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
	}
	return id
}

// stands is where the container stands, as its state tells: one that is paused
// runs, and one whose start failed has ended.
func (s *scene) stands(id runtime.ContainerID) place {
	s.Helper()
	state, err := s.rt.State(s.ctx, id)
	switch {
	case errdefs.IsNotFound(err):
		return absent
	case err != nil:
		s.Fatalf("state of %s: %v", id, err)
	case state.Phase == runtime.PhasePending:
		return created
	case state.Phase.Ended():
		return exited
	}
	return running
}

// looks tells whether a container in that place may look as it stands.
func (p place) looks(stands place) bool {
	switch p {
	case paused:
		return stands == running
	case dying:
		return stands == running || stands == exited
	}
	return p == stands
}

// call makes a row's call.
func (s *scene) call(ctx context.Context, r row, id runtime.ContainerID) error {
	if do, ok := variants()[r.name()]; ok {
		return do(ctx, s.rt, id)
	}
	table := calls()
	i := slices.IndexFunc(table, func(c call) bool { return c.op == r.op })
	return table[i].do(ctx, s.rt, s.subject(id))
}
