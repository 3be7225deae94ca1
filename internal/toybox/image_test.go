package toybox_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/internal/toybox"
)

// anyProgram stands for the program where a test runs nothing.
func anyProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustImage(t *testing.T, program string, platform v1.Platform, options ...toybox.Option) v1.Image {
	t.Helper()
	image, err := toybox.Image(program, platform, options...)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestImageHasConfigOfItsOptions(t *testing.T) {
	image := mustImage(t, anyProgram(t), toybox.Linux("arm64"),
		toybox.WithEntrypoint("/bin/toybox"), toybox.WithCmd("echo", "hi"), toybox.WithEnv("A=1"),
		toybox.WithWorkingDir("/tmp"), toybox.WithUser("toy"), toybox.WithStopSignal("SIGINT"),
		toybox.WithLabels(map[string]string{"team": "web"}), toybox.WithExposedPorts(8080))
	got, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		Entrypoint: []string{"/bin/toybox"}, Cmd: []string{"echo", "hi"}, Env: []string{"PATH=/bin", "A=1"},
		WorkingDir: "/tmp", User: "toy", StopSignal: "SIGINT",
		Labels: map[string]string{"team": "web"}, ExposedPorts: map[string]struct{}{"8080/tcp": {}},
	}
	if diff := cmp.Diff(want, got.Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if got.OS != "linux" || got.Architecture != "arm64" {
		t.Errorf("platform is %s/%s, want linux/arm64", got.OS, got.Architecture)
	}
	if mediaType, err := image.MediaType(); err != nil || mediaType != types.OCIManifestSchema1 {
		t.Errorf("media type is %s, %v; want an OCI manifest", mediaType, err)
	}
}

func TestImageWithoutCommandSleeps(t *testing.T) {
	config, err := mustImage(t, anyProgram(t), toybox.Linux("amd64")).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"sleep", "3600"}; !slices.Equal(config.Config.Cmd, want) {
		t.Errorf("command is %q, want %q", config.Config.Cmd, want)
	}
}

func TestSameInputsGiveTheSameDigest(t *testing.T) {
	program := anyProgram(t)
	digest := func(options ...toybox.Option) v1.Hash {
		hash, err := mustImage(t, program, toybox.Linux("amd64"), options...).Digest()
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	if a, b := digest(), digest(); a != b {
		t.Errorf("two builds of one image differ: %s, %s", a, b)
	}
	if a, b := digest(), digest(toybox.WithEnv("A=1")); a == b {
		t.Errorf("two images with different configs have one digest: %s", a)
	}
}

func TestWindowsImageNeedsNoProgram(t *testing.T) {
	image := mustImage(t, "", toybox.Windows("10.0.20348.2762"))
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "windows" || config.OSVersion != "10.0.20348.2762" {
		t.Errorf("platform is %s %s, want windows 10.0.20348.2762", config.OS, config.OSVersion)
	}
}

func TestImageRefusesWhatItCannotMake(t *testing.T) {
	if _, err := toybox.Image(anyProgram(t), v1.Platform{OS: "linux"}); err == nil {
		t.Error("a platform without an architecture was taken")
	}
	if _, err := toybox.Image(filepath.Join(t.TempDir(), "none"), toybox.Linux("amd64")); err == nil {
		t.Error("a Linux image was made without its program")
	}
}
