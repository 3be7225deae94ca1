package main

import (
	"context"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/internal/toybox"
)

// windowsBuild is the one that the Windows-shaped machines pretend to have.
const windowsBuild = "10.0.20348"

// serveImages serves toybox:linux and toybox:windows until the machine ends.
func serveImages(ctx context.Context, address string) error {
	program, err := toybox.Find("")
	if err != nil {
		return err
	}
	registry, err := toybox.Serve(address)
	if err != nil {
		return err
	}
	for tag, platform := range map[string]v1.Platform{
		"linux": toybox.Linux(runtime.GOARCH), "windows": toybox.Windows(windowsBuild),
	} {
		image, err := toybox.Image(program, platform)
		if err != nil {
			return err
		}
		if _, err := registry.Push(ctx, "toybox:"+tag, image); err != nil {
			return err
		}
	}
	return nil
}
