package image

import (
	"fmt"
	"io"
	"net/http"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// maxBody is the most that is read of one answer, in bytes: what the
// distribution specification has registries accept for a manifest.
const maxBody = 4 << 20

// boundedTransport keeps a registry from filling the memory: go-containerregistry
// takes manifests of 100 MiB, and drains some answers without any bound.
type boundedTransport struct{ inner http.RoundTripper }

func (t boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.inner.RoundTrip(req)
	if err == nil {
		resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxBody}
	}
	return resp, err
}

// bounded is a transport as it is used for any registry.
func bounded(t http.RoundTripper) http.RoundTripper {
	return transport.NewUserAgent(boundedTransport{t}, "shunt")
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}

var errTooLarge = &contentError{errdefs.ErrFailedPrecondition,
	fmt.Sprintf("a manifest or config is larger than %d MiB", maxBody>>20)}
