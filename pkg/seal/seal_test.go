package seal_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

var ann = messages.RegistryAuth{Registry: "registry.example:5000", Username: "ann", Password: "correct horse"}

func newKey(t *testing.T) *seal.Key {
	t.Helper()
	k, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func jobWith(box, image string) *messages.Job {
	return &messages.Job{V: 1, ID: "j", Op: messages.OpRun, Spec: &messages.Spec{Image: image, RegistryAuth: &messages.SealedAuth{Sealed: box}}}
}

func TestOpenGivesWhatWasSealed(t *testing.T) {
	key := newKey(t)
	box, err := seal.Seal(ann, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	run := jobWith(box.Sealed, "registry.example:5000/team/web:1")
	pull := jobWith(box.Sealed, "")
	pull.Op, pull.Args.Image = messages.OpPull, "registry.example:5000/team/web@sha256:"+strings.Repeat("a", 64)
	for _, job := range []*messages.Job{run, pull} {
		if auth, err := key.Open(job); err != nil || *auth != ann {
			t.Errorf("%s: %v", job.Op, err)
		}
	}
	again, err := seal.Seal(ann, key.Public())
	if err != nil || again.Sealed == box.Sealed {
		t.Errorf("the same box twice, %v", err)
	}
	if auth, err := key.Open(&messages.Job{Spec: &messages.Spec{}}); auth != nil || err != nil {
		t.Errorf("without a box: %v, %v", auth, err)
	}
}

// TestStrangersBox makes a box as docs/protocol.md tells strangers to.
func TestStrangersBox(t *testing.T) {
	key := newKey(t)
	sender, err := nkeys.CreateCurveKeys()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := sender.PublicKey()
	sealed, err := sender.Seal([]byte(`{"registry":"docker.io","username":"ann","password":"pw","since":"2.0"}`), key.Public())
	if err != nil {
		t.Fatal(err)
	}
	box := base64.StdEncoding.EncodeToString([]byte(public + string(sealed)))
	if auth, err := key.Open(jobWith(box, "nginx")); err != nil || auth.Password != "pw" {
		t.Errorf("%v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	key, other := newKey(t), newKey(t)
	box := func(auth string) string {
		sender, err := nkeys.CreateCurveKeys()
		if err != nil {
			t.Fatal(err)
		}
		public, _ := sender.PublicKey()
		sealed, err := sender.Seal([]byte(auth), key.Public())
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString([]byte(public + string(sealed)))
	}
	forOther, err := seal.Seal(ann, other.Public())
	if err != nil {
		t.Fatal(err)
	}
	whole := box(`{"registry":"r.example","password":"hunter2"}`)
	for what, c := range map[string]struct{ box, image, want string }{
		"another's":         {forOther.Sealed, "registry.example:5000/a", "sealed for another xkey"},
		"damaged":           {whole[:len(whole)-8] + "AAAAAAA=", "r.example/a", "sealed for another xkey"},
		"no box":            {"aHVudGVyMg==", "r.example/a", "is not a box"},
		"nothing after it":  {base64.StdEncoding.EncodeToString([]byte(other.Public())), "r.example/a", "is not a box"},
		"no JSON":           {box(`hunter2`), "r.example/a", "holds no credentials"},
		"another kind":      {box(`{"registry":"r.example","kind":"magic","password":"hunter2"}`), "r.example/a", `"magic"; want basic or token`},
		"no registry":       {box(`{"username":"u","password":"hunter2"}`), "r.example/a", "for no registry"},
		"another registry":  {whole, "evil.example/a", `for the registry "r.example"`},
		"a path as a host":  {whole, "r.example.evil.example/a", `for the registry "r.example"`},
		"Docker Hub's name": {whole, "a", `for the registry "r.example"`},
	} {
		auth, err := key.Open(jobWith(c.box, c.image))
		said, ok := errors.AsType[*messages.Error](err)
		if !ok || said.Code != messages.CodeInvalidArgument || said.Field != "spec.registry_auth.sealed" || !strings.Contains(said.Message, c.want) {
			t.Errorf("%s: %v, %v; want an error about spec.registry_auth.sealed that says %q", what, auth, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the secret: %v", what, err)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	key := newKey(t)
	if _, err := seal.Seal(ann, "not a key"); err == nil || strings.Contains(err.Error(), ann.Password) {
		t.Errorf("for no key: %v", err)
	}
	if _, err := seal.Seal(messages.RegistryAuth{Username: "u", Password: "p"}, key.Public()); err == nil {
		t.Error("credentials for no registry were sealed")
	}
}

func TestKeyIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xkey")
	made, err := seal.KeptIn(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.KeptIn(path)
	if err != nil || again.Public() != made.Public() {
		t.Errorf("the second time: %v, %v; want %v", again, err, made)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the file: %v, %v; want it for its owner alone", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.KeptIn(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged file: %v, want an error that names it", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".xkey-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestKeyDoesNotShowItsSeed(t *testing.T) {
	key := newKey(t)
	for _, text := range []string{fmt.Sprint(key), fmt.Sprintf("%+v %#v %s", key, key, key)} {
		if strings.Contains(text, string(key.Seed())) {
			t.Errorf("the seed is in %q", text)
		}
	}
}
