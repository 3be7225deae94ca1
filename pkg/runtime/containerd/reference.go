package containerd

import (
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
)

// imageRef is a reference in its full form, in which it is stored.
type imageRef struct {
	name string // docker.io/library/nginx:latest
	host string // docker.io
	// digest is set for a reference by digest, which always means the same.
	digest string
}

// parseRef reads a reference as people write it: nginx is
// docker.io/library/nginx:latest. Of a tag and a digest the digest counts.
func parseRef(field, ref string) (imageRef, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return imageRef{}, fmt.Errorf("%s: %q is not an image reference such as registry.example/team/web:1.4: %w: %w",
			field, ref, errdefs.ErrInvalidArgument, err)
	}
	out := imageRef{name: named.String(), host: reference.Domain(named)}
	if d, ok := named.(reference.Digested); ok {
		out.digest = d.Digest().String()
	}
	return out, nil
}
