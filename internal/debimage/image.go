package debimage

import (
	"compress/gzip"
	"context"
	"fmt"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Config says what is in an image.
type Config struct {
	Packages []string          // Debian's names
	Files    map[string]string // path -> content, over the packages' own; mode 0644
	Config   v1.Config         // what it runs
}

// Make downloads the packages and all they depend on, and makes an image for
// this machine's architecture: a layer of the packages' files, and one of the
// files given. Needs apt-get with its lists, and dpkg-deb. The image reads its
// layers from dir, which has to stay for as long as the image is used.
func Make(ctx context.Context, dir string, cfg Config) (v1.Image, error) {
	archives, err := download(ctx, dir, cfg.Packages)
	if err != nil {
		return nil, err
	}
	layerFile := filepath.Join(dir, "packages.tar")
	if err := merge(ctx, layerFile, archives); err != nil {
		return nil, err
	}
	packages, err := tarball.LayerFromFile(layerFile, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestSpeed))
	if err != nil {
		return nil, fmt.Errorf("debimage: the packages' layer: %w", err)
	}
	files, err := filesLayer(cfg.Files)
	if err != nil {
		return nil, err
	}
	config := cfg.Config
	if len(config.Env) == 0 {
		config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.ConfigFile(image, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, Config: config, RootFS: v1.RootFS{Type: "layers"},
	})
	if err == nil {
		image, err = mutate.AppendLayers(image, packages, files)
	}
	if err != nil {
		return nil, fmt.Errorf("debimage: %w", err)
	}
	return image, nil
}
