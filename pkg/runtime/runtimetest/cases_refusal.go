package runtimetest

import (
	"errors"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func refusalCases() []testCase {
	return []testCase{
		{name: "an_unknown_id_is_not_found", run: unknownID},
		{name: "start_of_a_running_container_is_failed_precondition", covers: []string{"Start"}, run: func(s *scene) {
			id := s.lasting()
			s.wantCode("start", s.rt.Start(s.ctx, id), messages.CodeFailedPrecondition)
			s.wantState(id, runtime.PhaseRunning, 0)
		}},
		{name: "create_without_an_image_is_invalid_argument", covers: []string{"Create"}, run: func(s *scene) {
			s.wantCode("create", s.make(s.id(), &messages.Spec{}), messages.CodeInvalidArgument)
			s.wantCode("create of nothing", s.make(s.id(), nil), messages.CodeInvalidArgument)
		}},
		{name: "a_foreign_platform_is_routed_to_a_peer", covers: []string{"Create", "Platforms"}, run: foreignPlatform},
	}
}

// unknownID goes through every operation that takes an id, so it covers what
// there will be as well.
func unknownID(s *scene) {
	id := s.id()
	for _, c := range calls() {
		if c.takesID && !s.lacks(c.op) {
			s.wantCode(c.op+" of an unknown container", c.do(s.ctx, s.rt, s.subject(id)), messages.CodeNotFound)
		}
	}
}

func (s *scene) lacks(op string) bool { return slices.Contains(s.cfg.Lacks, op) }

func foreignPlatform(s *scene) {
	platforms, err := s.rt.Platforms(s.ctx)
	s.must(err)
	image := s.image()
	for _, platform := range []messages.Platform{
		{OS: messages.Linux, Arch: "s390x"}, {OS: messages.Windows, Arch: "s390x"}, {OS: messages.Darwin, Arch: "s390x"},
	} {
		if slices.ContainsFunc(platforms, func(p messages.Platform) bool { return p.OS == platform.OS && p.Arch == platform.Arch }) {
			continue
		}
		id := s.id()
		err := s.rt.Create(s.ctx, id, &messages.Spec{Image: image, Platform: &platform}, runtime.CreateOptions{})
		verdict, ok := errors.AsType[*runtime.RouteToPeerError](err)
		if !ok {
			s.Errorf("create for %s: %v, want a RouteToPeerError", platform, err)
			continue
		}
		if verdict.Service != id.Service || verdict.RequiredOS != platform.OS || verdict.RequiredArch != platform.Arch ||
			verdict.Code != messages.RefusePlatform || verdict.Reason == "" {
			s.Errorf("verdict for %s is %+v, want it to name the service, the platform and a reason", platform, verdict)
		}
		_, err = s.rt.State(s.ctx, id)
		s.wantCode("state after a refusal", err, messages.CodeNotFound)
	}
}
