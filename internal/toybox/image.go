package toybox

import (
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image makes an OCI image for a platform. A Linux image holds the program at
// this path (see Find and Build), which must be built for the same
// architecture: nobody can see that here. An image for any other system has
// the right config and a layer that holds only a note, enough for runtimes
// that run nothing; its program is not read and may be empty.
func Image(program string, platform v1.Platform, options ...Option) (v1.Image, error) {
	if platform.OS == "" || platform.Architecture == "" {
		return nil, fmt.Errorf("toybox: platform %q: both os and architecture must be given", platform.String())
	}
	layer, err := layerFor(program, platform)
	if err != nil {
		return nil, err
	}
	base := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	base = mutate.ConfigMediaType(base, types.OCIConfigJSON)
	image, err := mutate.ConfigFile(base, configFor(platform, options))
	if err != nil {
		return nil, fmt.Errorf("toybox: config: %w", err)
	}
	image, err = mutate.AppendLayers(image, layer)
	if err != nil {
		return nil, fmt.Errorf("toybox: layer: %w", err)
	}
	return image, nil
}

func configFor(platform v1.Platform, options []Option) *v1.ConfigFile {
	config := v1.Config{Env: []string{"PATH=/bin"}}
	if platform.OS == "windows" {
		config.Env = []string{`PATH=C:\Windows\System32;C:\Windows`}
	}
	for _, option := range options {
		option(&config)
	}
	if len(config.Entrypoint) == 0 && len(config.Cmd) == 0 {
		config.Cmd = []string{"sleep", "3600"}
	}
	return &v1.ConfigFile{
		OS:           platform.OS,
		Architecture: platform.Architecture,
		Variant:      platform.Variant,
		OSVersion:    platform.OSVersion,
		OSFeatures:   platform.OSFeatures,
		Config:       config,
		RootFS:       v1.RootFS{Type: "layers"},
	}
}

func layerFor(program string, platform v1.Platform) (v1.Layer, error) {
	if platform.OS != "linux" {
		return noteLayer(platform)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("toybox: the program of a Linux image: %w", err)
	}
	return linuxLayer(binary)
}

// Index makes a multi-platform index. The platform of each entry is the one in
// the image's own config.
func Index(images ...v1.Image) (v1.ImageIndex, error) {
	var entries []mutate.IndexAddendum
	for i, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return nil, fmt.Errorf("toybox: config of image %d of the index: %w", i, err)
		}
		entries = append(entries, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	return mutate.AppendManifests(index, entries...), nil
}
