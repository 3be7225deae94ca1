package image

import (
	"encoding/json"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// document is an index or an image manifest, whichever it turns out to be.
type document struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     types.MediaType `json:"mediaType"`
	Config        *v1.Descriptor  `json:"config"`
	Layers        []v1.Descriptor `json:"layers"`
	Manifests     []v1.Descriptor `json:"manifests"`
	FSLayers      json.RawMessage `json:"fsLayers"` // schema 1
}

func (d *document) isIndex() bool { return d.Config == nil }

// readDocument reads what desc describes. What a document is follows from what
// is in it. A media type that says otherwise, its own or the descriptor's, is an
// attempt to have it read in two ways (CVE-2021-41190) and refused.
func readDocument(desc v1.Descriptor, raw []byte) (*document, error) {
	var d document
	if desc.MediaType.IsSchema1() {
		return nil, schema1(desc)
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, broken("manifest %s is not one: %s", desc.Digest, short(err.Error()))
	}
	if d.SchemaVersion == 1 || d.FSLayers != nil {
		return nil, schema1(desc)
	}
	says := func(is func(types.MediaType) bool) bool { return is(d.MediaType) || is(desc.MediaType) }
	switch {
	case d.Manifests != nil && (d.Config != nil || d.Layers != nil):
		return nil, broken("manifest %s is both an index and an image", desc.Digest)
	case d.Config != nil && says(types.MediaType.IsIndex):
		return nil, broken("manifest %s is an image but calls itself an index", desc.Digest)
	case d.Manifests != nil && says(types.MediaType.IsImage):
		return nil, broken("manifest %s is an index but calls itself an image", desc.Digest)
	case d.Config == nil && d.Manifests == nil && !says(types.MediaType.IsIndex):
		return nil, notImage("manifest %s (%q) is neither an index nor an image", desc.Digest, short(string(desc.MediaType)))
	}
	return &d, nil
}

func schema1(desc v1.Descriptor) error {
	return &contentError{errdefs.ErrNotImplemented,
		"manifest " + desc.Digest.String() + " is Docker schema 1, which is not supported; push the image again with a current tool (Docker schema 2 or OCI)"}
}
