package registry_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/internal/registrytest"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/registry"
)

const user, password = "ann", "correct-horse"

// note is an image that nobody runs.
func note(t *testing.T, options ...toybox.Option) v1.Image {
	t.Helper()
	img, err := toybox.Image("", toybox.Windows("10.0.20348.2762"), options...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// docker gives the process a docker configuration of its own.
func docker(t *testing.T, config string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("DOCKER_CONFIG", home)
	if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// helper is a credential helper, docker-credential-test, that has a login for
// one registry.
func helper(t *testing.T, server string) {
	t.Helper()
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nread -r server\n[ \"$1 $server\" = \"get %s\" ] || { echo 'credentials not found in native keychain'; exit 1; }\n"+
		"echo '{\"ServerURL\": \"%s\", \"Username\": \"%s\", \"Secret\": \"%s\"}'\n", server, server, user, password)
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-test"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func resolve(t *testing.T, hosts *registrytest.Hosts, ref string, auth *messages.RegistryAuth) error {
	t.Helper()
	r := image.NewResolver(image.WithEndpoints(registry.Endpoints(hosts.Dir)))
	_, platforms, err := r.Platforms(t.Context(), ref, messages.PullAlways, auth)
	if err == nil && (len(platforms) != 1 || platforms[0].OS != messages.Windows) {
		t.Errorf("%s: %v", ref, platforms)
	}
	return err
}

func TestPrivateRegistry(t *testing.T) {
	for name, guard := range map[string]registrytest.Option{
		"password": registrytest.WithPassword(user, password),
		"token":    registrytest.WithTokens(user, password),
	} {
		t.Run(name, func(t *testing.T) {
			reg := registrytest.Start(t, guard)
			hosts := registrytest.NewHosts(t).Trust(reg)
			ref := reg.Push(t.Context(), "team/note:1", note(t))
			docker(t, `{}`)
			if err := resolve(t, hosts, ref, nil); !errdefs.IsUnauthorized(err) {
				t.Errorf("without credentials: %v", err)
			}
			if err := resolve(t, hosts, ref, &messages.RegistryAuth{Username: user, Password: "guess"}); !errdefs.IsUnauthorized(err) || strings.Contains(err.Error(), "guess") {
				t.Errorf("with a wrong password: %v", err)
			}
			if err := resolve(t, hosts, ref, &messages.RegistryAuth{Username: user, Password: password}); err != nil {
				t.Errorf("with the job's: %v", err)
			}
			docker(t, fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, reg.Addr, base64.StdEncoding.EncodeToString([]byte(user+":"+password))))
			if err := resolve(t, hosts, ref, nil); err != nil {
				t.Errorf("with the node's login: %v", err)
			}
			helper(t, reg.Addr)
			for _, config := range []string{`{"credsStore": "test"}`, fmt.Sprintf(`{"credHelpers": {%q: "test"}}`, reg.Addr)} {
				docker(t, config)
				if err := resolve(t, hosts, ref, nil); err != nil {
					t.Errorf("with the node's %s: %v", config, err)
				}
			}
		})
	}
}

func TestAuthorityIsThatOfHostsTOML(t *testing.T) {
	docker(t, `{}`)
	reg := registrytest.Start(t)
	ref := reg.Push(t.Context(), "team/note:1", note(t))
	if err := resolve(t, registrytest.NewHosts(t), ref, nil); err == nil {
		t.Error("a registry whose authority nobody knows was believed")
	}
	if err := resolve(t, registrytest.NewHosts(t).Trust(reg), ref, nil); err != nil {
		t.Error(err)
	}
}

// TestMirror has docker.io at two places, each with an image of its own. The
// first is private: it is shown the node's login for it, and the job's to nobody.
func TestMirror(t *testing.T) {
	mirror, server := registrytest.Start(t, registrytest.WithPassword(user, password)), registrytest.Start(t)
	hosts := registrytest.NewHosts(t).Mirror("docker.io", mirror, server)
	mirror.Push(t.Context(), "library/here:1", note(t))
	server.Push(t.Context(), "library/there:1", note(t, toybox.WithCmd("there")))
	docker(t, fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, mirror.Addr, base64.StdEncoding.EncodeToString([]byte(user+":"+password))))
	for _, ref := range []string{"here:1", "there:1"} {
		if err := resolve(t, hosts, ref, nil); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if mirror.Asked("ns=docker.io") == 0 {
		t.Error("the mirror was not told for whom it stands")
	}
	if server.Asked("library/here") > 0 {
		t.Error("the server was asked for what the mirror has")
	}
	if err := resolve(t, hosts, "nowhere:1", nil); !errdefs.IsNotFound(err) {
		t.Errorf("what neither has: %v", err)
	}
	docker(t, `{}`)
	if err := resolve(t, hosts, "here:1", &messages.RegistryAuth{Username: user, Password: password}); !errdefs.IsNotFound(err) {
		t.Errorf("the job's credentials were shown to the mirror: %v", err)
	}
}

func TestAuthorityThatIsMissingIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "r.example"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "server = \"https://r.example\"\nca = \"missing.crt\"\n"
	if err := os.WriteFile(filepath.Join(dir, "r.example", "hosts.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := registry.Endpoints(dir)(t.Context(), "r.example")
	if !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "registry r.example") || !strings.Contains(err.Error(), "missing.crt") {
		t.Errorf("%v", err)
	}
}
