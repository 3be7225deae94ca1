package containerd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// image is what is needed of an image to make containers of it. It depends on
// its digest and the platform alone, so it is read once.
type image struct {
	target   ocispec.Descriptor // what the reference names
	manifest ocispec.Manifest   // of the platform
	config   ocispec.ImageConfig
	platform messages.Platform
	chain    string // the snapshot of its unpacked layers

	users atomic.Pointer[accounts] // nil: not read yet

	mu  sync.Mutex
	has []messages.Platform // of the whole index; empty: not read yet
}

// platforms is the whole set that the image's reference stands for.
func (i *image) platforms(read func() ([]messages.Platform, error)) ([]messages.Platform, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.has) == 0 {
		has, err := read()
		if err != nil {
			return nil, err
		}
		i.has = has
	}
	return slices.Clone(i.has), nil
}

// accounts are the files of an image that know its users.
type accounts struct{ passwd, group []byte }

// maxAccountFile bounds what is read of them.
const maxAccountFile = 1 << 20

func (a accounts) passwdFile() io.Reader { return bytes.NewReader(a.passwd) }
func (a accounts) groupFile() io.Reader  { return bytes.NewReader(a.group) }

// imageCache holds the images that were used last.
type imageCache struct {
	mu    sync.Mutex
	known map[imageKey]*image
}

type imageKey struct {
	target   digest.Digest
	platform string
}

// maxKnownImages bounds the cache; what falls out is read again.
const maxKnownImages = 256

func (c *imageCache) get(k imageKey) *image {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[k]
}

func (c *imageCache) put(k imageKey, img *image) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[imageKey]*image{}
	}
	for old := range c.known {
		if len(c.known) < maxKnownImages {
			break
		}
		delete(c.known, old)
	}
	c.known[k] = img
}

// loadImage reads an image's parts for a platform. It is NotFound when the
// image has none for it, or when its content is not all there.
func (r *Runtime) loadImage(ctx context.Context, target ocispec.Descriptor, want ocispec.Platform) (*image, error) {
	key := imageKey{target: target.Digest, platform: platforms.Format(want)}
	if img := r.images.get(key); img != nil {
		return img, nil
	}
	store := r.client.ContentStore()
	match := platforms.Only(want)
	available, _, _, missing, err := images.Check(ctx, store, target, match)
	if err != nil {
		return nil, native(err)
	}
	if !available || len(missing) > 0 {
		return nil, fmt.Errorf("%d parts of %s for %s are not in the store: %w", len(missing), target.Digest, platforms.Format(want), errdefs.ErrNotFound)
	}
	manifest, err := images.Manifest(ctx, store, target, match)
	if err != nil {
		return nil, native(err)
	}
	data, err := content.ReadBlob(ctx, store, manifest.Config)
	if err != nil {
		return nil, native(err)
	}
	var config ocispec.Image
	if err := json.Unmarshal(data, &config); err != nil {
		return nil, fmt.Errorf("config of image %s: %w: %w", target.Digest, errdefs.ErrDataLoss, err)
	}
	img := &image{
		target:   target,
		manifest: manifest,
		config:   config.Config,
		platform: fromOCI(config.Platform),
		chain:    identity.ChainID(config.RootFS.DiffIDs).String(),
	}
	r.images.put(key, img)
	return img, nil
}

// size is what the image's parts take in the content store, in bytes.
func (i *image) size() int64 {
	total := i.manifest.Config.Size
	for _, l := range i.manifest.Layers {
		total += l.Size
	}
	return total
}

// accountsOf are the users of an unpacked image, read once.
func (r *Runtime) accountsOf(ctx context.Context, img *image) (accounts, error) {
	if known := img.users.Load(); known != nil {
		return *known, nil
	}
	purpose := "accounts " + img.chain
	var a accounts
	err := r.leased(ctx, purpose, func(ctx context.Context) (err error) {
		if known := img.users.Load(); known != nil { // read by who came first
			a = *known
			return nil
		}
		a, err = r.readAccounts(ctx, img.chain)
		if errdefs.IsNotFound(err) { // put into the store by somebody who did not unpack it
			if err = r.unpack(ctx, img); err == nil {
				a, err = r.readAccounts(ctx, img.chain)
			}
		}
		return err
	})
	if err == nil {
		img.users.Store(&a)
	}
	return a, err
}

// readAccounts mounts a view of the image for as long as it takes.
func (r *Runtime) readAccounts(ctx context.Context, chain string) (a accounts, err error) {
	key := "shunt-accounts-" + chain
	var mounts []mount.Mount
	err = r.insist(ctx, func() (err error) {
		mounts, err = r.snapshots.View(ctx, key, chain)
		if errdefs.IsAlreadyExists(err) { // left by one that was cut short
			mounts, err = r.snapshots.Mounts(ctx, key)
		}
		return err
	})
	if err != nil {
		return a, err
	}
	defer func() {
		ctx, cancel := cleanup(ctx)
		defer cancel()
		_ = r.insist(ctx, func() error { return ignoreNotFound(r.snapshots.Remove(ctx, key)) }) // the next reader takes it up
	}()
	err = mount.WithReadonlyTempMount(ctx, mounts, func(root string) error {
		a, err = accountsIn(root)
		return err
	})
	return a, err
}

// accountsIn reads the users of a file system. The files may be missing, and
// links that lead out of it are not followed.
func accountsIn(dir string) (a accounts, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return a, err
	}
	defer root.Close()
	a.passwd = readSome(root, "etc/passwd")
	a.group = readSome(root, "etc/group")
	return a, nil
}

// readSome is the file's content, or nothing where there is no plain file.
func readSome(root *os.Root, name string) []byte {
	info, err := root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxAccountFile))
	if err != nil {
		return nil
	}
	return data
}
