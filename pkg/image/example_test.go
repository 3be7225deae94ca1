package image_test

import (
	"context"
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// What the node holds is known without any network.
func ExampleResolver_Platforms() {
	store := &localStore{}
	store.hold("docker.io/library/nginx:latest", "sha256:4c1a…",
		messages.Platform{OS: "linux", Arch: "amd64"},
		messages.Platform{OS: "windows", Arch: "amd64", OSVersion: "10.0.20348.2461"})

	r := image.NewResolver(image.WithStore(store))
	digest, platforms, err := r.Platforms(context.Background(), "nginx", messages.PullIfNotPresent, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(digest, platforms)
	// Output: sha256:4c1a… [linux/amd64 windows(10.0.20348.2461)/amd64]
}

// A host of another revision runs the image of its build; one of another build
// does not.
func ExampleSelect() {
	platforms := []messages.Platform{
		{OS: "linux", Arch: "amd64"},
		{OS: "windows", Arch: "amd64", OSVersion: "10.0.20348.2461"},
	}
	for _, build := range []string{"10.0.20348.587", "10.0.26100.1"} {
		p, ok := image.Select(platforms, messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: build})
		fmt.Println(build, ok, p)
	}
	// Output:
	// 10.0.20348.587 true windows(10.0.20348.2461)/amd64
	// 10.0.26100.1 false
}

func ExampleNormalize() {
	ref, err := image.Normalize("nginx")
	fmt.Println(ref, err)
	// Output: docker.io/library/nginx:latest <nil>
}
