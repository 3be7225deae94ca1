package containerd_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"testing"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/internal/registrytest"
	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

const user, password = "ann", "correct-horse"

// dockerConfig gives the process a docker configuration of its own, with a
// login for one registry.
func dockerConfig(t *testing.T, registry string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("DOCKER_CONFIG", home)
	login := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, registry, login)
	if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// behind has the bench's runtime reach registries as hosts.toml files say.
func (b *bench) behind(hosts *registrytest.Hosts) {
	b.Helper()
	b.cfg.RegistryHosts = hosts.Dir
	b.reopen()
}

func (b *bench) toy(options ...toybox.Option) v1.Image {
	b.Helper()
	img, err := toybox.Image(testenv.Toybox(b), toybox.Linux(goruntime.GOARCH), options...)
	b.must(err)
	return img
}

// TestPullFromAPrivateRegistry has the distribution registry by TLS, behind
// passwords and behind tokens.
func TestPullFromAPrivateRegistry(t *testing.T) {
	for name, guard := range map[string]registrytest.Option{
		"password": registrytest.WithPassword(user, password),
		"token":    registrytest.WithTokens(user, password),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			reg := registrytest.Start(t, guard)
			ref := reg.Push(b.ctx, "team/web:1", b.toy())
			pull := func(auth *messages.RegistryAuth) error {
				_, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{Policy: messages.PullAlways, Auth: auth})
				return err
			}
			dockerConfig(t, "elsewhere.example")
			b.behind(registrytest.NewHosts(t))
			if err := pull(&messages.RegistryAuth{Username: user, Password: password}); err == nil {
				t.Error("a registry whose authority nobody knows was believed")
			}
			b.behind(registrytest.NewHosts(t).Trust(reg))
			for what, auth := range map[string]*messages.RegistryAuth{"no": nil, "wrong": {Username: user, Password: "guess"}} {
				if err := pull(auth); !errdefs.IsUnauthorized(err) {
					t.Errorf("%s credentials: %v, want unauthenticated", what, err)
				}
			}
			if err := pull(&messages.RegistryAuth{Username: user, Password: password}); err != nil {
				t.Errorf("the job's credentials: %v", err)
			}
			b.must(b.rt.RemoveImage(b.ctx, ref, false))
			dockerConfig(t, reg.Addr)
			if err := pull(nil); err != nil {
				t.Errorf("the node's login: %v", err)
			}
			if out, _ := b.run(&messages.Spec{Image: ref, Args: []string{"echo", "hello"}}); out != "hello\n" {
				t.Errorf("printed %q", out)
			}
		})
	}
}

// TestPullFromAMirror has docker.io at two places: what the first, which is
// private, lacks comes from the second.
func TestPullFromAMirror(t *testing.T) {
	b := newBench(t)
	mirror, server := registrytest.Start(t, registrytest.WithPassword(user, password)), registrytest.Start(t)
	mirror.Push(b.ctx, "library/here:1", b.toy())
	server.Push(b.ctx, "library/there:1", b.toy(toybox.WithCmd("echo", "there")))
	b.behind(registrytest.NewHosts(t).Mirror("docker.io", mirror, server))
	dockerConfig(t, mirror.Addr)
	for _, ref := range []string{"here:1", "there:1"} {
		if _, err := b.rt.Pull(b.ctx, ref, runtime.PullOptions{}); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if server.Asked("library/here") > 0 || mirror.Asked("library/here/blobs") == 0 {
		t.Error("what the mirror has came from elsewhere")
	}
	if out, _ := b.run(&messages.Spec{Image: "there:1"}); out != "there\n" {
		t.Errorf("printed %q", out)
	}
	dockerConfig(t, "elsewhere.example")
	auth := &messages.RegistryAuth{Username: user, Password: password}
	if _, err := b.rt.Pull(b.ctx, "here:1", runtime.PullOptions{Policy: messages.PullAlways, Auth: auth}); err == nil {
		t.Error("the job's credentials were shown to the mirror")
	}
}
