package containerd

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A volume's copy is an OCI artifact of this type, with one layer: a tar of what
// is in the volume, compressed. It is pushed and fetched as images are, from the
// same registries, with the same settings and credentials.
const artifactVolume = "application/vnd.shunt.volume.v1"

// The annotations of a volume's copy.
const (
	noteVolume = "dev.shunt.volume.name"
	noteRoot   = "dev.shunt.volume.root"    // mode and owner of the volume itself
	noteJob    = "dev.shunt.volume.job"     // who wrote it, or has taken it over
	noteTry    = "dev.shunt.volume.try"     // the job's attempt
	noteTaken  = "dev.shunt.volume.taken"   // "true": the attempt runs with it, and has not given it back
	noneLayer  = ocispec.MediaTypeEmptyJSON // the layer of a copy without data
)

// registryCopy is a volume's copy as its registry has it.
type registryCopy struct {
	digest   digest.Digest // of the manifest; "": there is none
	manifest ocispec.Manifest
}

// data is the layer with the volume's data; ok is false where there is none yet.
func (c *registryCopy) data() (ocispec.Descriptor, bool) {
	if c.digest == "" || c.manifest.Layers[0].MediaType == noneLayer {
		return ocispec.Descriptor{}, false
	}
	return c.manifest.Layers[0], true
}

// holder says who has written or taken over the copy.
func (c *registryCopy) holder() string {
	return fmt.Sprintf("job %s, attempt %s", c.manifest.Annotations[noteJob], c.manifest.Annotations[noteTry])
}

// copyPlace is where a volume's copy is kept.
type copyPlace struct {
	ref      imageRef
	resolver remotes.Resolver
}

// placeOf reads a reference of a copy. Credentials of the image's are shown to
// the image's own registry alone.
func (r *Runtime) placeOf(ctx context.Context, field, copyRef, image string, auth *messages.RegistryAuth) (*copyPlace, error) {
	ref, err := parseRef(field, copyRef)
	if err != nil {
		return nil, err
	}
	if ref.digest != "" {
		return nil, fmt.Errorf("%s: %q names a digest; want a tag, which moves with each copy: %w", field, copyRef, errdefs.ErrInvalidArgument)
	}
	if img, err := parseRef("spec.image", image); err != nil || img.host != ref.host {
		auth = nil
	}
	resolver, err := r.resolver(ctx, ref, auth)
	return &copyPlace{ref: ref, resolver: resolver}, err
}

func (p *copyPlace) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("copy of a volume: %w", registryError(p.ref.name, p.ref.host, err))
}

// look reads what the registry has now.
func (p *copyPlace) look(ctx context.Context) (*registryCopy, error) {
	_, desc, err := p.resolver.Resolve(ctx, p.ref.name)
	if errdefs.IsNotFound(err) {
		return &registryCopy{}, nil
	}
	if err != nil {
		return nil, p.failed(err)
	}
	body, err := p.fetch(ctx, desc)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxManifest))
	if err != nil {
		return nil, p.failed(err)
	}
	found := &registryCopy{digest: desc.Digest}
	if err := json.Unmarshal(data, &found.manifest); err != nil || digest.FromBytes(data) != desc.Digest {
		return nil, fmt.Errorf("copy of a volume: %s: its manifest cannot be read: %w", p.ref.name, errdefs.ErrDataLoss)
	}
	if found.manifest.ArtifactType != artifactVolume || len(found.manifest.Layers) != 1 {
		return nil, fmt.Errorf("copy of a volume: %s is something else; give a reference of the volume's own: %w", p.ref.name, errdefs.ErrFailedPrecondition)
	}
	return found, nil
}

func (p *copyPlace) fetch(ctx context.Context, desc ocispec.Descriptor) (io.ReadCloser, error) {
	fetcher, err := p.resolver.Fetcher(ctx, p.ref.name)
	if err != nil {
		return nil, p.failed(err)
	}
	body, err := fetcher.Fetch(ctx, desc)
	return body, p.failed(err)
}

// unpack puts a copy's data into a directory.
func (p *copyPlace) unpack(ctx context.Context, c *registryCopy, dir string) error {
	layer, ok := c.data()
	if !ok {
		return nil
	}
	body, err := p.fetch(ctx, layer)
	if err != nil {
		return err
	}
	defer body.Close()
	verifier := layer.Digest.Verifier()
	read := io.TeeReader(io.LimitReader(body, layer.Size), verifier)
	unzipped, err := gzip.NewReader(read)
	if err != nil {
		return p.failed(err)
	}
	asItIs := archive.WithConvertWhiteout(func(*tarHeader, string) (bool, error) { return true, nil }) // it is no layer of an image
	if _, err := archive.Apply(ctx, dir, unzipped, asItIs); err != nil {
		return p.failed(err)
	}
	if _, err := io.Copy(io.Discard, read); err != nil {
		return p.failed(err)
	}
	if !verifier.Verified() {
		return fmt.Errorf("copy of a volume: %s: its data is not %s: %w", p.ref.name, layer.Digest, errdefs.ErrUnavailable)
	}
	return setRoot(dir, c.manifest.Annotations[noteRoot])
}

// pack writes a directory as the layer of a copy. The same files give the same
// bytes.
func pack(ctx context.Context, dir string, w io.Writer) error {
	zipped, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := archive.WriteDiff(ctx, zipped, "", dir); err != nil {
		return err
	}
	return zipped.Close()
}

// describePack is the layer that pack would write.
func describePack(ctx context.Context, dir string) (ocispec.Descriptor, error) {
	digester, size := digest.Canonical.Digester(), &counter{}
	if err := pack(ctx, dir, io.MultiWriter(digester.Hash(), size)); err != nil {
		return ocispec.Descriptor{}, err
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: digester.Digest(), Size: size.n}, nil
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// pushData sends a directory as the layer that describePack has described, unless
// the registry has it. It is packed again for that, so nothing of it is kept in
// memory or on the disk.
func (p *copyPlace) pushData(ctx context.Context, layer ocispec.Descriptor, dir string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from, to := io.Pipe()
	defer from.Close()
	go func() { to.CloseWithError(pack(ctx, dir, to)) }()
	return p.push(ctx, layer, from)
}

func (p *copyPlace) push(ctx context.Context, desc ocispec.Descriptor, from io.Reader) error {
	pusher, err := p.resolver.Pusher(ctx, p.ref.name)
	if err != nil {
		return p.failed(err)
	}
	w, err := pusher.Push(ctx, desc)
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return p.failed(err)
	}
	defer w.Close()
	return p.failed(content.Copy(ctx, w, from, desc.Size, desc.Digest))
}

// manifestOf is the manifest of a copy, and its bytes.
func manifestOf(layer ocispec.Descriptor, notes map[string]string) (ocispec.Descriptor, []byte, error) {
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: artifactVolume,
		Config: ocispec.DescriptorEmptyJSON, Layers: []ocispec.Descriptor{layer}, Annotations: notes,
	}
	data, err := json.Marshal(m)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	return ocispec.Descriptor{MediaType: m.MediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}, data, nil
}

// pushManifest sends a manifest, when what it names is there.
func (p *copyPlace) pushManifest(ctx context.Context, desc ocispec.Descriptor, data []byte) error {
	empty := ocispec.DescriptorEmptyJSON
	if err := p.push(ctx, empty, bytes.NewReader(empty.Data)); err != nil {
		return err
	}
	return p.push(ctx, desc, bytes.NewReader(data))
}

// rootOf is the mode and owner of a volume's own directory, as setRoot reads it.
func rootOf(dir string) (string, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	uid, gid := ownerOf(info)
	return fmt.Sprintf("%o %d %d", unixMode(info.Mode()), uid, gid), nil
}

func setRoot(dir, note string) error {
	var mode uint32
	var uid, gid int
	if _, err := fmt.Sscanf(note, "%o %d %d", &mode, &uid, &gid); err != nil {
		return nil //nolint:nilerr // somebody else's artifact: the directory stays root's
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return err
	}
	return os.Chmod(dir, fileMode(mode))
}
