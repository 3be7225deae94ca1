package runtimetest

import (
	"crypto/rand"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func imageCases() []testCase {
	return []testCase{
		{name: "pull_gives_digest_and_is_listed", covers: []string{"Pull", "ListImages"}, run: pullListed},
		{name: "pull_of_a_missing_image_is_not_found", covers: []string{"Pull"}, run: pullMissing},
		{name: "pull_policies_find_what_is_held", covers: []string{"Pull"}, run: func(s *scene) {
			ref := s.image()
			for _, policy := range []messages.PullPolicy{messages.PullNever, messages.PullIfNotPresent, messages.PullNewer, messages.PullAlways} {
				if _, err := s.rt.Pull(s.ctx, ref, runtime.PullOptions{Policy: policy, Platform: s.cfg.Platform}); err != nil {
					s.Errorf("pull %s of an image that is held: %v", policy, err)
				}
			}
		}},
		{name: "pull_with_an_unknown_policy_is_invalid_argument", covers: []string{"Pull"}, run: func(s *scene) {
			_, err := s.rt.Pull(s.ctx, s.cfg.Image(s.T), runtime.PullOptions{Policy: "sometimes", Platform: s.cfg.Platform})
			s.wantCode("pull", err, messages.CodeInvalidArgument)
		}},
		{name: "a_tag_is_an_image_of_its_own_until_removed", covers: []string{"TagImage", "RemoveImage", "ListImages"}, run: tagAndRemove},
		{name: "tag_of_a_missing_image_is_not_found", covers: []string{"TagImage"}, run: func(s *scene) {
			s.wantCode("tag", s.rt.TagImage(s.ctx, s.cfg.MissingImage, tag()), messages.CodeNotFound)
		}},
		{name: "remove_of_a_missing_image_is_not_found", covers: []string{"RemoveImage"}, run: func(s *scene) {
			s.wantCode("remove", s.rt.RemoveImage(s.ctx, s.cfg.MissingImage, false), messages.CodeNotFound)
			s.wantCode("remove by force", s.rt.RemoveImage(s.ctx, s.cfg.MissingImage, true), messages.CodeNotFound)
		}},
		{name: "remove_of_an_image_in_use_needs_force", covers: []string{"RemoveImage", "TagImage"}, run: removeInUse},
	}
}

// tag is a reference that nobody else uses.
func tag() string { return "shunt.test/tag-" + strings.ToLower(rand.Text()[:12]) + ":1" }

func (s *scene) imageListed(ref string) (runtime.ImageInfo, bool) {
	s.Helper()
	images, err := s.rt.ListImages(s.ctx)
	s.must(err)
	i := slices.IndexFunc(images, func(i runtime.ImageInfo) bool { return i.Reference == ref })
	if i < 0 {
		return runtime.ImageInfo{}, false
	}
	return images[i], true
}

func pullListed(s *scene) {
	info, err := s.rt.Pull(s.ctx, s.cfg.Image(s.T), runtime.PullOptions{Platform: s.cfg.Platform})
	s.must(err)
	listed, ok := s.imageListed(info.Reference)
	if !ok || info.Digest == "" || listed.Digest != info.Digest || len(listed.Platforms) == 0 {
		s.Errorf("pull gave %+v, the list %+v (%v); want the same digest, and platforms", info, listed, ok)
	}
}

func pullMissing(s *scene) {
	for _, policy := range []messages.PullPolicy{"", messages.PullNever, messages.PullIfNotPresent, messages.PullNewer, messages.PullAlways} {
		_, err := s.rt.Pull(s.ctx, s.cfg.MissingImage, runtime.PullOptions{Policy: policy, Platform: s.cfg.Platform})
		s.wantCode("pull "+string(policy), err, messages.CodeNotFound)
	}
	if _, ok := s.imageListed(s.cfg.MissingImage); ok {
		s.Errorf("%s is listed after pulls that failed", s.cfg.MissingImage)
	}
	_, err := s.rt.Pull(s.ctx, tag(), runtime.PullOptions{Policy: messages.PullNever, Platform: s.cfg.Platform})
	s.wantCode("pull never of an image no store has", err, messages.CodeNotFound)
}

func tagAndRemove(s *scene) {
	source, target := s.image(), tag()
	s.must(s.rt.TagImage(s.ctx, source, target))
	listed, ok := s.imageListed(target)
	if !ok || listed.Digest == "" {
		s.Fatalf("the tag is listed as %+v (%v), want it with its digest", listed, ok)
	}
	id := s.id()
	s.must(s.make(id, &messages.Spec{Image: target, Entrypoint: []string{"true"}}))
	s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
	s.must(s.rt.RemoveImage(s.ctx, target, false))
	if _, ok := s.imageListed(target); ok {
		s.Errorf("%s is listed although it was removed", target)
	}
	s.wantCode("remove of the removed tag", s.rt.RemoveImage(s.ctx, target, false), messages.CodeNotFound)
	_, err := s.rt.Pull(s.ctx, source, runtime.PullOptions{Policy: messages.PullNever, Platform: s.cfg.Platform})
	if err != nil {
		s.Errorf("removing the tag took the source with it: %v", err)
	}
}

func removeInUse(s *scene) {
	target := tag()
	s.must(s.rt.TagImage(s.ctx, s.image(), target))
	id := s.id()
	s.must(s.make(id, &messages.Spec{Image: target, Entrypoint: []string{"sleep"}, Args: []string{"3600"}}))
	s.wantCode("remove of an image in use", s.rt.RemoveImage(s.ctx, target, false), messages.CodeFailedPrecondition)
	s.must(s.rt.Start(s.ctx, id))
	s.must(s.rt.RemoveImage(s.ctx, target, true))
	s.wantState(id, runtime.PhaseRunning, 0)
	if _, ok := s.imageListed(target); ok {
		s.Errorf("%s is listed although it was removed by force", target)
	}
}
