package image

import (
	"encoding/json"
	"math"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Config is what an image says about itself for one platform: what runs when a
// job names nothing else.
type Config struct {
	Entrypoint []string
	Cmd        []string
	Env        []string // NAME=value
	WorkingDir string
	User       string
	StopSignal string // as SIGTERM; empty: the runtime's default

	Digest   string            // of what the reference names, as Platforms gives it
	Manifest string            // digest of the manifest for Platform
	Platform messages.Platform // the one chosen
	Size     int64             // bytes to pull for it: manifest aside, config and layers
}

// readConfig reads the config of an image. Digest and Manifest are the caller's
// to fill in.
func readConfig(doc *document, raw []byte) (*Config, error) {
	var file v1.ConfigFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, broken("config %s is not one: %s", doc.Config.Digest, short(err.Error()))
	}
	c := &Config{
		Entrypoint: file.Config.Entrypoint,
		Cmd:        file.Config.Cmd,
		Env:        file.Config.Env,
		WorkingDir: file.Config.WorkingDir,
		User:       file.Config.User,
		StopSignal: file.Config.StopSignal,
		Size:       int64(len(raw)),
	}
	if p := file.Platform(); p != nil {
		c.Platform = platformOf(*p)
	}
	for _, layer := range doc.Layers {
		if layer.Size < 0 || layer.Size > math.MaxInt64-c.Size {
			return nil, broken("layer %s says it has %d bytes", layer.Digest, layer.Size)
		}
		c.Size += layer.Size
	}
	return c, nil
}
