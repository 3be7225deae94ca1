package image

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
)

const (
	hubHost  = "docker.io"          // Docker Hub in references
	hubIndex = name.DefaultRegistry // and in go-containerregistry
)

// Normalize writes a reference out in full, as containerd's and Docker's stores
// name images: "nginx" is "docker.io/library/nginx:latest". A reference with a
// tag and a digest is the digest's. The error is of class InvalidArgument.
func Normalize(ref string) (string, error) {
	parsed, err := parse(ref)
	if err != nil {
		return "", err
	}
	return canonical(parsed), nil
}

func parse(ref string) (name.Reference, error) {
	parsed, err := name.ParseReference(ref)
	if err == nil {
		return parsed, nil
	}
	// The parser keeps its reasons to itself; those who know which kind it is
	// get them from the one that reads it.
	if strings.Contains(ref, "@") {
		_, err = name.NewDigest(ref)
	} else if !strings.Contains(ref, "://") {
		_, err = name.NewTag(ref)
	}
	return nil, fmt.Errorf("image: %q is not a reference (%s); want [registry/]name[:tag] or [registry/]name@sha256:<64 hex digits>: %w",
		short(ref), short(err.Error()), errdefs.ErrInvalidArgument)
}

func canonical(ref name.Reference) string {
	full := ref.Name()
	if rest, ok := strings.CutPrefix(full, hubIndex+"/"); ok {
		return hubHost + "/" + rest
	}
	return full
}

// host is the registry of a reference as people write it.
func host(ref name.Reference) string {
	if h := ref.Context().RegistryStr(); h != hubIndex {
		return h
	}
	return hubHost
}

// reach is the repository of ref at its endpoint.
func reach(ref name.Reference, at Endpoint) (name.Repository, error) {
	var opts []name.Option
	if at.Insecure {
		opts = append(opts, name.Insecure)
	}
	where := at.Host
	if where == "" {
		where = ref.Context().RegistryStr()
	}
	registry, err := name.NewRegistry(where, opts...)
	if err != nil {
		return name.Repository{}, fmt.Errorf("endpoint of registry %s: host %q is not one (want host[:port]): %w",
			host(ref), short(where), errdefs.ErrFailedPrecondition)
	}
	return registry.Repo(ref.Context().RepositoryStr()), nil
}

// at is the same tag or digest in another place.
func at(repo name.Repository, ref name.Reference) name.Reference {
	if _, ok := ref.(name.Digest); ok {
		return repo.Digest(ref.Identifier())
	}
	return repo.Tag(ref.Identifier())
}

// short keeps a hostile value from filling an error.
func short(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
