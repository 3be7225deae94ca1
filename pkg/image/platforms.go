package image

import (
	"context"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// What an image may ask of its reader.
const (
	maxDepth     = 4   // indexes within indexes
	maxReads     = 64  // manifests and configs read for one image
	maxPlatforms = 256 // platforms of one image
)

// Fetch reads the manifest or config that a descriptor describes, whole, and
// verified against its digest.
type Fetch func(ctx context.Context, desc v1.Descriptor) ([]byte, error)

// PlatformsOf is the set of platforms of an index or an image manifest, in the
// index's order and each one once. It fetches no more than it needs: an entry
// that names its platform is believed, one that does not is read with its
// config. Errors of fetch are returned as they are; what is wrong with the
// image is of the classes in the package comment.
func PlatformsOf(ctx context.Context, root v1.Descriptor, fetch Fetch) ([]messages.Platform, error) {
	variants, err := variantsOf(ctx, root, fetch)
	if err != nil {
		return nil, err
	}
	return platformsIn(variants), nil
}

// variant is an image for one platform.
type variant struct {
	platform messages.Platform
	manifest v1.Descriptor
	config   *Config // nil if it was not read on the way
}

func platformsIn(variants []variant) []messages.Platform {
	platforms := make([]messages.Platform, len(variants))
	for i, v := range variants {
		platforms[i] = v.platform
	}
	return platforms
}

func variantsOf(ctx context.Context, root v1.Descriptor, fetch Fetch) ([]variant, error) {
	w := walk{fetch: fetch}
	doc, err := w.document(ctx, root)
	if err != nil {
		return nil, err
	}
	if doc.isIndex() {
		err = w.index(ctx, doc, 1)
	} else {
		err = w.image(ctx, root, doc)
	}
	if err != nil {
		return nil, err
	}
	if len(w.found) == 0 {
		return nil, notImage("manifest %s has no container image in it", root.Digest)
	}
	return w.found, nil
}

// walk goes through an index and gathers the images in it.
type walk struct {
	fetch Fetch
	reads int
	found []variant
}

// read fetches within the bound on reads.
func (w *walk) read(ctx context.Context, desc v1.Descriptor) ([]byte, error) {
	if w.reads++; w.reads > maxReads {
		return nil, notImage("more than %d manifests have to be read to learn its platforms", maxReads)
	}
	return w.fetch(ctx, desc)
}

func (w *walk) document(ctx context.Context, desc v1.Descriptor) (*document, error) {
	raw, err := w.read(ctx, desc)
	if err != nil {
		return nil, err
	}
	return readDocument(desc, raw)
}

func (w *walk) index(ctx context.Context, index *document, depth int) error {
	if depth > maxDepth {
		return notImage("its indexes are nested more than %d deep", maxDepth)
	}
	for _, desc := range index.Manifests {
		if err := w.entry(ctx, desc, depth); err != nil {
			return err
		}
	}
	return nil
}

// entry takes up one entry of an index.
func (w *walk) entry(ctx context.Context, desc v1.Descriptor, depth int) error {
	if isArtifact(desc) {
		return nil
	}
	if desc.MediaType.IsImage() && desc.Platform != nil && desc.Platform.OS != "" {
		return w.add(variant{platform: platformOf(*desc.Platform), manifest: desc})
	}
	doc, err := w.document(ctx, desc)
	if err != nil {
		return err
	}
	if doc.isIndex() {
		return w.index(ctx, doc, depth+1)
	}
	if !isRunnable(doc) {
		return nil
	}
	return w.image(ctx, desc, doc)
}

// image takes up an image whose platform only its config knows.
func (w *walk) image(ctx context.Context, desc v1.Descriptor, doc *document) error {
	if !isRunnable(doc) {
		return notImage("manifest %s is an artifact (%q), not a container image", desc.Digest, short(string(doc.Config.MediaType)))
	}
	raw, err := w.read(ctx, *doc.Config)
	if err != nil {
		return err
	}
	config, err := readConfig(doc, raw)
	if err != nil {
		return err
	}
	if config.Platform.OS == "" {
		return notImage("config %s names no operating system", doc.Config.Digest)
	}
	return w.add(variant{platform: config.Platform, manifest: desc, config: config})
}

// add gathers a variant unless its platform is there already (variants of one
// architecture, as arm/v6 and arm/v7, are one) or is none.
func (w *walk) add(v variant) error {
	if !isPlatform(v.platform) || slices.ContainsFunc(w.found, func(o variant) bool { return o.platform == v.platform }) {
		return nil
	}
	if len(w.found) == maxPlatforms {
		return notImage("it has more than %d platforms", maxPlatforms)
	}
	// Annotations and inline data are the image's to make as large as it likes.
	v.manifest = v1.Descriptor{MediaType: v.manifest.MediaType, Digest: v.manifest.Digest, Size: v.manifest.Size}
	w.found = append(w.found, v)
	return nil
}

// isArtifact tells entries that are no image: attestations and signatures that
// travel in the index of what they are about.
func isArtifact(desc v1.Descriptor) bool {
	if !desc.MediaType.IsImage() && !desc.MediaType.IsIndex() && !desc.MediaType.IsSchema1() {
		return true
	}
	if desc.ArtifactType != "" && !types.MediaType(desc.ArtifactType).IsConfig() {
		return true
	}
	if desc.Annotations["vnd.docker.reference.type"] != "" {
		return true
	}
	return desc.Platform != nil && desc.Platform.OS == "unknown"
}

// isRunnable tells an image from an artifact in the shape of one.
func isRunnable(doc *document) bool { return doc.Config.MediaType.IsConfig() }

func platformOf(p v1.Platform) messages.Platform {
	return messages.Platform{OS: normalOS(messages.OS(p.OS)), Arch: normalArch(p.Architecture), OSVersion: p.OSVersion}
}

// isPlatform refuses what no system is called. It lets systems pass that shunt
// does not run, so that a refusal can name them.
func isPlatform(p messages.Platform) bool {
	word := func(s string, most int) bool {
		for _, c := range s {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c != '+' {
				return false
			}
		}
		return len(s) <= most
	}
	return p.OS != "" && word(string(p.OS), 32) && word(p.Arch, 32) && word(p.OSVersion, 64)
}
