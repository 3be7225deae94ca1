package e2e_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/internal/debimage"
	"github.com/shunt-fleet/shunt/internal/registrytest"
	"github.com/shunt-fleet/shunt/internal/testenv"
)

// passwd is what images made of packages need of a user database.
const passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n"

// TestRedis keeps data in a named volume, over the end of one container and the
// beginning of another, and is healthy when redis itself says so.
func TestRedis(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	private := f.private()
	image := f.debian(private, "team/redis:7", debimage.Config{
		Packages: []string{"redis-server"},
		Files:    map[string]string{"/etc/passwd": passwd},
		Config: v1.Config{
			Entrypoint: []string{"redis-server", "--dir", "/data", "--appendonly", "yes", "--appendfsync", "always"},
			Volumes:    map[string]struct{}{"/data": {}},
		},
	})
	spec := fmt.Sprintf(`{"image":%q,"mounts":[{"type":"volume","source":"redis-data","target":"/data"}],
		"health":{"command":["redis-cli","ping"],"interval":"200ms","start_grace":"30s"}}`, image)

	f.serve("cache-1", "cache", spec)
	if out := f.exec("set", "cache", `"redis-cli","set","greeting","hello"`); out != "OK\n" {
		t.Fatalf("redis answered %q, want OK", out)
	}
	f.nats.publish("shunt.job.away", `{"v":1,"id":"away","op":"remove","service":"cache","target":"linux-1","args":{"force":true,"volumes":true}}`)
	expect(t, "the removal", f.nats.done("away"), map[string]string{"state": "completed", "outcome.result.changed": "true"})
	expect(t, "the service", f.nats.done("cache-1"), map[string]string{"state": "completed"})

	f.serve("cache-2", "cache", spec)
	if out := f.exec("get", "cache", `"redis-cli","get","greeting"`); out != "hello\n" {
		t.Errorf("redis has %q, want what the container before it was told", out)
	}
}

// TestNginx publishes a port and is fetched over HTTP.
func TestNginx(t *testing.T) {
	t.Parallel()
	testenv.Iptables(t)
	f := newFleet(t)
	private := f.private()
	image := f.debian(private, "team/nginx:1", debimage.Config{
		Packages: []string{"nginx-light"},
		Files: map[string]string{
			"/etc/passwd":       passwd,
			"/etc/group":        "root:x:0:\n",
			"/srv/index.html":   "a page from a container\n",
			"/tmp/.keep":        "",
			"/etc/nginx/a.conf": "daemon off;\nuser root;\npid /tmp/nginx.pid;\nerror_log stderr;\nevents {}\nhttp { access_log off; server { listen 8080; root /srv; location /healthz { return 204; } } }\n",
		},
		Config: v1.Config{Entrypoint: []string{"nginx", "-c", "/etc/nginx/a.conf"}},
	})
	record := f.serve("web-1", "web", fmt.Sprintf(`{"image":%q,"ports":[{"container":8080}],
		"health":{"http":{"port":8080,"path":"/healthz"},"interval":"200ms","start_grace":"30s"}}`, image))
	port := record.at("outcome.result.ports.0.host")
	if port == "" || port == "0" {
		t.Fatalf("the record names no host port:\n%s", record)
	}
	response, err := http.Get("http://127.0.0.1:" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "a page from a container\n" || response.Header.Get("Server") == "" {
		t.Errorf("fetched %q (%v, %v), want nginx's page", body, response.Header, err)
	}
}

// private starts a distribution registry behind TLS and a password, and a Linux
// node whose own settings let it in there.
func (f *fleet) private() *registrytest.Registry {
	f.t.Helper()
	r := registrytest.Start(f.t, registrytest.WithPassword("node", "a password"))
	login := base64.StdEncoding.EncodeToString([]byte("node:a password"))
	dir := f.t.TempDir()
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, r.Addr, login)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.env = []string{"DOCKER_CONFIG=" + dir}
	f.linux("--registry-hosts", registrytest.NewHosts(f.t).Trust(r).Dir)
	return r
}

// debian is the reference of an image of Debian packages in a registry.
func (f *fleet) debian(in *registrytest.Registry, name string, cfg debimage.Config) string {
	f.t.Helper()
	testenv.Debian(f.t)
	image, err := debimage.Make(f.t.Context(), f.t.TempDir(), cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	return in.Push(f.t.Context(), name, image)
}

// serve runs a service on the Linux node, and gives its record once it is
// healthy.
func (f *fleet) serve(job, service, spec string) (record document) {
	f.t.Helper()
	f.nats.publish("shunt.job."+job, fmt.Sprintf(
		`{"v":1,"id":%q,"op":"run","kind":"service","service":%q,"target":"linux-1","spec":%s}`, job, service, spec))
	eventually(f.t, job+" is healthy", func() (bool, string) {
		record = f.nats.job(job)
		return record.at("state") == "running" && record.at("healthy") == "true", record.String()
	})
	return record
}

// exec is what a program in a service's container prints.
func (f *fleet) exec(job, service, cmd string) string {
	f.t.Helper()
	f.nats.publish("shunt.job."+job, fmt.Sprintf(
		`{"v":1,"id":%q,"op":"exec","service":%q,"target":"linux-1","args":{"cmd":[%s]}}`, job, service, cmd))
	word := f.nats.done(job)
	expect(f.t, "the exec", word, map[string]string{"state": "completed", "outcome.result.exit_code": "0"})
	return word.at("outcome.result.stdout")
}
