package e2e_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/registrytest"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

// TestPrivateRegistry pulls what only ann may read, from the distribution
// registry by TLS: a job brings her password along, sealed. The worker is killed
// and goes on with another one. The password is nowhere.
func TestPrivateRegistry(t *testing.T) {
	t.Parallel()
	const password = "correct-horse-battery"
	f := newFleet(t)
	reg := registrytest.Start(t, registrytest.WithPassword("ann", password))
	hosts := registrytest.NewHosts(t).Trust(reg)
	image := reg.Push(t.Context(), "team/hello:1", f.image(toybox.Linux(runtime.GOARCH), "echo", "hello"))
	worker := f.linux("--registry-hosts", hosts.Dir)

	shunt := func(in string, args ...string) string { return f.says(in, nil, args...) }
	if out := shunt("", "submit", image, "--id", "bare", "--wait"); !strings.Contains(out, "unauthenticated") {
		t.Errorf("without credentials:\n%s", out)
	}
	if out := shunt("guess\n", "submit", image, "--id", "wrong", "--wait", "--registry-user", "ann", "--registry-password-stdin"); !strings.Contains(out, "unauthenticated") {
		t.Errorf("with a wrong password:\n%s", out)
	}
	worker.kill()
	said := worker.output.String()
	submitted := shunt(password+"\n", "submit", image, "--id", "hello", "--registry-user", "ann", "--registry-password-stdin")
	if strings.TrimSpace(submitted) != "hello" {
		t.Fatalf("submit: %s", submitted)
	}
	worker = f.linux("--registry-hosts", hosts.Dir)
	record := f.nats.done("hello")
	expect(t, "the last word", record, map[string]string{"state": "completed", "outcome.result.exit_code": "0"})
	direct := shunt(password, "submit", image, "--id", "direct", "--node", linuxNode, "--wait", "--registry-user", "ann", "--registry-password-stdin")
	if !strings.Contains(direct, "completed") {
		t.Errorf("given to the node:\n%s", direct)
	}
	if elsewhere := shunt("", "submit", "-f", f.write("elsewhere.json", `{"id":"elsewhere","op":"run","spec":{"image":"evil.example/hello:1","registry_auth":{"sealed":"`+
		record.at("job.spec.registry_auth.sealed")+`"}}}`), "--wait"); !strings.Contains(elsewhere, "spec.registry_auth.sealed") {
		t.Errorf("a copied box, for another registry:\n%s", elsewhere)
	}

	said += worker.output.String() + f.placer.output.String() + record.String() + direct
	said += f.nats.request("shunt.node."+linuxNode+".attempt", `{"v":1,"job":"hello"}`).document.String()
	f.nowhere(said, password, base64.StdEncoding.EncodeToString([]byte("ann:"+password)))
}

// TestKeyAndLoginFromFiles has the placers' key in a file of theirs, and ann's
// password where docker login leaves it. The placers' store is lost: what was
// sealed before can be opened afterwards, since the key is not in it.
func TestKeyAndLoginFromFiles(t *testing.T) {
	t.Parallel()
	const password = "battery-staple"
	file := filepath.Join(t.TempDir(), "xkey")
	key, err := seal.KeptIn(file)
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(t, "--xkey", file)
	reg := registrytest.Start(t, registrytest.WithPassword("ann", password))
	hosts := registrytest.NewHosts(t).Trust(reg)
	image := reg.Push(t.Context(), "team/hello:1", f.image(toybox.Linux(runtime.GOARCH), "echo", "hello"))
	worker := f.linux("--registry-hosts", hosts.Dir)
	expect(t, "the placers' info", f.nats.request("shunt.placer.info", "").document, map[string]string{"xkey": key.Public()})

	nobody, ann := []string{"DOCKER_CONFIG=" + t.TempDir()}, []string{"DOCKER_CONFIG=" + login(t, reg.Addr, "ann", password)}
	if out := f.says("", nobody, "submit", image, "--registry-login", "--wait"); !strings.Contains(out, "docker login "+reg.Addr) {
		t.Errorf("without a login:\n%s", out)
	}
	if out := f.says("", ann, "submit", image, "--registry-login", "--id", "before", "--wait"); !strings.Contains(out, "completed") {
		t.Fatalf("with ann's login:\n%s", out)
	}
	if out := f.says("", ann, "submit", image, "--registry-login", "--id", "direct", "--node", linuxNode, "--wait"); !strings.Contains(out, "completed") {
		t.Errorf("given to the node:\n%s", out)
	}
	box := f.nats.done("before").at("job.spec.registry_auth.sealed")
	if out, _, err := f.nats.try("kv", "get", "SHUNT_KEYS", "placers", "--raw"); err == nil {
		t.Errorf("there is a key in the store as well: %s", out)
	}

	f.placer.stop()
	said := f.placer.output.String()
	if err := os.RemoveAll(filepath.Join(f.dir, "nats")); err != nil {
		t.Fatal(err)
	}
	f.startPlacer(f.address())
	f.awaitNode(linuxNode, "alive")
	after := f.write("after.json", `{"id":"after","op":"run","spec":{"image":"`+image+`","pull":"always","registry_auth":{"sealed":"`+box+`"}}}`)
	if out := f.says("", nil, "submit", "-f", after, "--wait"); !strings.Contains(out, "completed") {
		t.Errorf("the box of before:\n%s", out)
	}
	f.nowhere(said+f.placer.output.String()+worker.output.String(), password, base64.StdEncoding.EncodeToString([]byte("ann:"+password)))
}

// login is a directory with what docker login leaves.
func login(t *testing.T, registry, user, password string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	write(t, filepath.Join(dir, "config.json"), `{"auths":{"`+registry+`":{"auth":"`+auth+`"}}}`)
	return dir
}

// says is all that shunt prints, with something on its standard input and more
// in its environment.
func (f *fleet) says(in string, env []string, args ...string) string {
	f.t.Helper()
	cmd := command(f.t, "shunt", append([]string{"--nats", f.nats.url}, args...)...)
	cmd.Stdin, cmd.Env = strings.NewReader(in), append(cmd.Env, env...)
	out, _ := cmd.CombinedOutput() // what it says is judged
	return string(out)
}

// write puts a file into the fleet's directory.
func (f *fleet) write(name, text string) (path string) {
	f.t.Helper()
	path = filepath.Join(f.dir, name)
	write(f.t, path, text)
	return path
}

// nowhere looks for secrets in what was said, and in every file that the fleet
// keeps: the bus's store, journals, containerd's own records.
func (f *fleet) nowhere(said string, secrets ...string) {
	f.t.Helper()
	files := 0
	look := func(path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			return // gone meanwhile
		}
		files++
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				f.t.Errorf("a secret is in %s", path)
			}
		}
	}
	_ = filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			look(path)
		}
		return nil
	})
	if files < 10 {
		f.t.Errorf("only %d files were looked into", files)
	}
	for _, secret := range secrets {
		if strings.Contains(said, secret) {
			f.t.Error("a secret was said")
		}
	}
}
