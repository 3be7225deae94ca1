package runhcs

import (
	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Fits tells whether a host runs an image, by containerd's rules: a container
// shares its host's kernel, so the builds of Windows have to be compatible. It
// is a preflight only; the last word has Windows.
func Fits(host, image messages.Platform) bool {
	return platforms.Only(oci(host)).Match(oci(image))
}

// OtherBuild tells whether nothing but the build of Windows keeps a host from
// running one of the images of a set.
func OtherBuild(host messages.Platform, images ...messages.Platform) bool {
	for _, p := range images {
		anyBuild := p
		anyBuild.OSVersion = ""
		if p.OS == messages.Windows && !Fits(host, p) && Fits(host, anyBuild) {
			return true
		}
	}
	return false
}

func oci(p messages.Platform) ocispec.Platform {
	return ocispec.Platform{OS: string(p.OS), Architecture: p.Arch, OSVersion: p.OSVersion}
}
