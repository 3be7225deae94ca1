package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// maxSessions is how many sessions wait to be used again.
const maxSessions = 64

// session is a handshake with a registry that is done: its scheme is known and
// a token, if it takes any, is there. It serves one repository and one user
// at a time, since go-containerregistry renews tokens without a lock.
type session struct {
	repo   name.Repository
	puller *remote.Puller
}

type sessionKey struct {
	repo string
	of   string // the registry that it mirrors
	id   identity
}

// open shakes hands with the registry of repo, at an endpoint of it.
func (r *Resolver) open(ctx context.Context, repo name.Repository, at Endpoint, creds credentials) (*session, error) {
	auth, err := creds.authenticator(ctx, r.keychain, repo)
	if err != nil {
		return nil, err
	}
	inner := r.transport
	if at.Transport != nil {
		inner = at.Transport
	}
	scopes := []string{repo.Scope(transport.PullScope)}
	shaken, err := transport.NewWithContext(ctx, repo.Registry, auth, bounded(inner), scopes)
	if statusOf(err) == http.StatusBadRequest {
		// Not the asker's fault: a TLS server answers so to the plain HTTP that
		// go-containerregistry falls back to on local addresses.
		return nil, &contentError{errdefs.ErrUnavailable, err.Error()}
	}
	if err != nil {
		return nil, err
	}
	// A *transport.Wrapper is used as it is: no second handshake, no retries.
	puller, err := remote.NewPuller(remote.WithTransport(shaken))
	if err != nil {
		return nil, err
	}
	return &session{repo: repo, puller: puller}, nil
}

// with calls fn with a session at the first endpoint that can serve it. What a
// mirror cannot answer, for whatever reason, the next is asked.
func (r *Resolver) with(ctx context.Context, q *question, fn func(*session) error) error {
	endpoints, err := r.endpoints(ctx, q.host)
	if err != nil {
		return err
	}
	for i, at := range endpoints {
		err = r.withAt(ctx, q, at, fn)
		if err == nil || !at.Mirror || i == len(endpoints)-1 || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("there is no endpoint of registry %s: %w", q.host, errdefs.ErrFailedPrecondition)
}

// withAt is with at one endpoint. It uses a session that was used before if
// there is one; when its credentials have run out, a new one is opened, once.
func (r *Resolver) withAt(ctx context.Context, q *question, at Endpoint, fn func(*session) error) error {
	repo, err := reach(q.named, at)
	if err != nil {
		return err
	}
	creds, key := q.creds, sessionKey{repo: repo.Name(), id: q.creds.id}
	if at.Mirror {
		creds, key = credentials{}, sessionKey{repo: repo.Name(), of: q.host}
	}
	s, used := r.sessions.take(key)
	if used {
		err := fn(s)
		if !isRefused(err) {
			r.keep(key, s, err)
			return err
		}
	}
	s, err = r.open(ctx, repo, at, creds)
	if err != nil {
		return err
	}
	err = fn(s)
	r.keep(key, s, err)
	return err
}

// keep has a session used again, unless it may be the session that failed.
func (r *Resolver) keep(key sessionKey, s *session, err error) {
	if err == nil || statusOf(err) == http.StatusNotFound {
		r.sessions.put(key, s)
	}
}

// errNoDigest says that a registry does not tell digests in a HEAD, which it
// need not.
var errNoDigest = errors.New("the registry does not say the digest in a HEAD")

// head asks for the digest that ref has now.
func (s *session) head(ctx context.Context, ref name.Reference) (digest string, err error) {
	desc, err := s.puller.Head(ctx, at(s.repo, ref))
	if err == nil {
		return desc.Digest.String(), nil
	}
	status := statusOf(err)
	if status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented {
		return "", errNoDigest
	}
	if status != 0 || isNetwork(err) || ctx.Err() != nil {
		return "", err
	}
	return "", errNoDigest // it answered, but without a usable digest
}

// get reads the manifest of ref. Its digest is computed from what was read.
func (s *session) get(ctx context.Context, ref name.Reference) (v1.Descriptor, []byte, error) {
	got, err := s.puller.Get(ctx, at(s.repo, ref))
	if err != nil {
		return v1.Descriptor{}, nil, err
	}
	return got.Descriptor, got.Manifest, nil
}

// fetch is a Fetch from the session's repository.
func (s *session) fetch(ctx context.Context, desc v1.Descriptor) ([]byte, error) {
	ref := s.repo.Digest(desc.Digest.String())
	if desc.MediaType.IsImage() || desc.MediaType.IsIndex() || desc.MediaType.IsSchema1() {
		_, raw, err := s.get(ctx, ref)
		return raw, err
	}
	layer, err := s.puller.Layer(ctx, ref)
	if err != nil {
		return nil, err
	}
	body, err := layer.Compressed() // as it is stored: a config is not compressed
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// statusOf is the HTTP status that an error stands for, or 0.
func statusOf(err error) int {
	if answer, ok := errors.AsType[*transport.Error](err); ok {
		return answer.StatusCode
	}
	return 0
}

func isRefused(err error) bool {
	status := statusOf(err)
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}
