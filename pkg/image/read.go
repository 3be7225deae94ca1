package image

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// readWith is one read of a registry over one session.
func (r *Resolver) readWith(ctx context.Context, q *question, whole bool, s *session) (*knowledge, error) {
	if r.mayKnow(q, whole) {
		digest, err := s.head(ctx, q.named)
		if err != nil && !errors.Is(err, errNoDigest) {
			return nil, err
		}
		if k := r.known(digest, whole); k != nil {
			return k, nil
		}
	}
	root, raw, err := s.get(ctx, q.named)
	if err != nil {
		return nil, err
	}
	digest := root.Digest.String()
	if k := r.known(digest, whole); k != nil {
		return k, nil // another tag, or another repository, of what is known
	}
	variants, err := variantsOf(ctx, root, func(ctx context.Context, desc v1.Descriptor) ([]byte, error) {
		if desc.Digest == root.Digest {
			return raw, nil
		}
		return s.fetch(ctx, desc)
	})
	if err != nil {
		return nil, err
	}
	for i := range variants {
		r.rememberConfig(variants[i].manifest, variants[i].config)
		variants[i].config = nil
	}
	k := &knowledge{digest: digest, platforms: platformsIn(variants), variants: variants}
	r.images.put(digest, k)
	return k, nil
}

// mayKnow says whether a HEAD can save reading the manifest.
func (r *Resolver) mayKnow(q *question, whole bool) bool {
	if q.isDigest() {
		return r.known(q.named.Identifier(), whole) != nil
	}
	_, ok := r.repos.get(q.repo.Name())
	return ok
}
