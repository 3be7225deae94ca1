package runtimetest

import (
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func pruneCases() []testCase {
	return []testCase{
		{name: "prune_containers_takes_the_ended_only", covers: []string{"PruneContainers"}, alone: true, run: pruneContainers},
		{name: "prune_images_takes_the_unused_only", covers: []string{"PruneImages"}, alone: true, run: pruneImages},
	}
}

func pruneContainers(s *scene) {
	pending, running, ended := s.created("true"), s.lasting(), s.ended("true")
	pruned, err := s.rt.PruneContainers(s.ctx)
	s.must(err)
	if !slices.Contains(pruned.Deleted, ended.String()) {
		s.Errorf("deleted %v, want %s among them", pruned.Deleted, ended)
	}
	for _, id := range []runtime.ContainerID{pending, running} {
		if slices.Contains(pruned.Deleted, id.String()) {
			s.Errorf("deleted %v, and so %s, which has not ended", pruned.Deleted, id)
		}
	}
	s.wantState(pending, runtime.PhasePending, 0)
	s.wantState(running, runtime.PhaseRunning, 0)
	_, err = s.rt.State(s.ctx, ended)
	s.wantCode("state of the pruned", err, messages.CodeNotFound)
}

func pruneImages(s *scene) {
	ref := s.image()
	info, err := s.rt.Pull(s.ctx, ref, runtime.PullOptions{Platform: s.cfg.Platform})
	s.must(err)
	id := s.created("true")
	_, err = s.rt.PruneImages(s.ctx)
	s.must(err)
	if _, ok := s.imageListed(info.Reference); !ok {
		s.Errorf("%s was pruned although a container uses it", info.Reference)
	}
	s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
	s.until("nothing uses the image", func() bool {
		pruned, err := s.rt.PruneImages(s.ctx)
		s.must(err)
		return slices.Contains(pruned.Deleted, info.Reference)
	})
	if _, ok := s.imageListed(info.Reference); ok {
		s.Errorf("%s is listed although it was pruned", info.Reference)
	}
}
