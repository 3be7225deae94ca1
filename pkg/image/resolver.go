package image

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Resolver answers which platforms images have. See the package comment for
// what it promises; make one with NewResolver.
type Resolver struct {
	options
	images   *lru[string, *knowledge]     // by digest, for whoever may know
	grants   *lru[grantKey, grant]        // who may, and what a tag was when
	repos    *lru[string, struct{}]       // repositories of which something is in images
	configs  *lru[string, *Config]        // by digest of the manifest
	sessions *lru[sessionKey, *session]   // handshakes to use again
	reads    flights[readKey, *knowledge] // under way
	details  flights[configKey, *Config]  // configs under way
}

// knowledge is what is known of an image by its digest. It does not change.
type knowledge struct {
	digest    string
	platforms []messages.Platform
	variants  []variant // beside platforms; nil if only the store told
}

// grant records that credentials opened a reference.
type grant struct {
	digest string
	at     time.Time
}

type grantKey struct {
	ref string
	id  identity
}

type readKey struct {
	grantKey
	check bool // a tag has to be checked even if it was a moment ago
	whole bool // variants are needed
}

// NewResolver makes a Resolver. It opens nothing and needs no closing.
func NewResolver(opts ...Option) *Resolver {
	r := &Resolver{options: defaults()}
	for _, set := range opts {
		set(&r.options)
	}
	r.images = newLRU[string, *knowledge](r.cacheSize)
	r.grants = newLRU[grantKey, grant](r.cacheSize)
	r.repos = newLRU[string, struct{}](r.cacheSize)
	r.configs = newLRU[string, *Config](r.cacheSize)
	r.sessions = newLRU[sessionKey, *session](maxSessions)
	return r
}

// Platforms is the set of platforms of an image, and the digest of what the
// reference names (an index, or the manifest of an image that stands alone).
//
// pull says how sure that has to be, and defaults to if_not_present: see the
// package comment. Under newer an image that the store holds is also the answer
// when the registry is not available. auth is nil for the node's own keychain;
// empty credentials are anonymous ones. The slice is the caller's.
func (r *Resolver) Platforms(ctx context.Context, ref string, pull messages.PullPolicy, auth *messages.RegistryAuth) (digest string, platforms []messages.Platform, err error) {
	q, err := r.question(ref, pull, auth)
	if err != nil {
		return "", nil, err
	}
	held, storeErr := r.held(ctx, q)
	if held != nil && !q.checks() {
		return held.digest, slices.Clone(held.platforms), nil
	}
	known, err := r.resolve(ctx, q, false)
	if held != nil && q.pull == messages.PullNewer && errdefs.IsUnavailable(err) {
		known, err = held, nil
	}
	switch {
	case err == nil:
		return known.digest, slices.Clone(known.platforms), nil
	case storeErr != nil && q.pull == messages.PullNever:
		return "", nil, storeErr
	case storeErr != nil:
		return "", nil, fmt.Errorf("%w (and the %s)", err, storeErr.Error())
	}
	return "", nil, err
}

// question is one ask.
type question struct {
	ref   string // as Normalize writes it
	host  string // the registry, as people write it
	named name.Reference
	repo  name.Repository
	pull  messages.PullPolicy
	creds credentials
}

func (r *Resolver) question(ref string, pull messages.PullPolicy, auth *messages.RegistryAuth) (*question, error) {
	q := &question{pull: pull.Or(messages.PullIfNotPresent)}
	switch q.pull {
	case messages.PullAlways, messages.PullNewer, messages.PullIfNotPresent, messages.PullNever:
	default:
		return nil, fmt.Errorf("pull: %q is not a policy; want always, newer, if_not_present or never: %w", short(string(pull)), errdefs.ErrInvalidArgument)
	}
	var err error
	if q.named, err = parse(ref); err != nil {
		return nil, err
	}
	q.ref, q.host = canonical(q.named), host(q.named)
	if q.creds, err = credentialsOf(auth); err != nil {
		return nil, err
	}
	q.repo = q.named.Context()
	return q, nil
}

// checks says whether the registry has to be asked even for what is held.
func (q *question) checks() bool {
	return q.pull == messages.PullAlways || q.pull == messages.PullNewer
}

// isDigest says whether the reference can only ever name one thing.
func (q *question) isDigest() bool {
	_, ok := q.named.(name.Digest)
	return ok
}

func (q *question) grantKey() grantKey { return grantKey{q.ref, q.creds.id} }

// held asks the store. What it tells is remembered by digest, so that under
// every policy a HEAD is enough for what the node holds.
func (r *Resolver) held(ctx context.Context, q *question) (*knowledge, error) {
	if r.store == nil {
		return nil, nil
	}
	digest, platforms, err := r.store.Lookup(ctx, q.ref)
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("local store, asked for image %s: %w", q.ref, err)
	}
	held := &knowledge{digest: digest, platforms: slices.Clone(platforms)}
	if _, known := r.images.get(digest); !known {
		r.images.put(digest, held)
	}
	r.repos.put(q.repo.Name(), struct{}{})
	return held, nil
}

// resolve answers from what is remembered, or else from the registry. whole
// asks for the variants as well.
func (r *Resolver) resolve(ctx context.Context, q *question, whole bool) (*knowledge, error) {
	if known := r.remembered(q, whole); known != nil {
		return known, nil
	}
	if q.pull == messages.PullNever {
		return nil, fmt.Errorf("image %s: is not on this node, and the pull policy is never: %w", q.ref, errdefs.ErrNotFound)
	}
	if err := ctx.Err(); err != nil {
		return nil, q.explain(ctx, err)
	}
	key := readKey{grantKey: q.grantKey(), check: q.checks(), whole: whole}
	known, err := r.reads.do(ctx, key, r.timeout, func(ctx context.Context) (*knowledge, error) {
		// A read that has ended since the caller looked is as good.
		if known := r.remembered(q, whole); known != nil {
			return known, nil
		}
		return r.read(ctx, q, whole)
	})
	return known, q.explain(ctx, err)
}

// remembered is what needs no request, or nil.
func (r *Resolver) remembered(q *question, whole bool) *knowledge {
	opened, ok := r.grants.get(q.grantKey())
	if !ok {
		return nil
	}
	if !q.isDigest() {
		fresh := q.pull == messages.PullNever || q.pull == messages.PullIfNotPresent && time.Since(opened.at) < r.tagTTL
		if !fresh {
			return nil
		}
	}
	return r.known(opened.digest, whole)
}

func (r *Resolver) known(digest string, whole bool) *knowledge {
	k, ok := r.images.get(digest)
	if !ok || whole && k.variants == nil {
		return nil
	}
	return k
}

// read asks the registry, with no more requests than needed: a HEAD if it may
// turn out that the image is known, and the manifest if it is not.
func (r *Resolver) read(ctx context.Context, q *question, whole bool) (known *knowledge, err error) {
	err = r.with(ctx, q, func(s *session) error {
		known, err = r.readWith(ctx, q, whole, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.repos.put(q.repo.Name(), struct{}{})
	r.grants.put(q.grantKey(), grant{digest: known.digest, at: time.Now()})
	return known, nil
}
