// Package registrytest runs the distribution registry, the one that most others
// are made of, for tests: by TLS under an authority of the test's own, behind
// passwords or tokens.
package registrytest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/crypto/bcrypt"

	"github.com/shunt-fleet/shunt/internal/testenv"
)

// Registry is a registry that runs until the test ends.
type Registry struct {
	Addr      string // as references to it begin
	Authority *Authority

	t     testing.TB
	login authn.Authenticator

	mu       sync.Mutex
	requests []string
}

// Option is a setting of Start.
type Option func(t testing.TB, dir string, r *Registry) (config string)

// WithPassword lets in whoever gives the user's password.
func WithPassword(user, password string) Option {
	return func(t testing.TB, dir string, r *Registry) string {
		t.Helper()
		r.login = &authn.Basic{Username: user, Password: password}
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		file := write(t, dir, "htpasswd", fmt.Appendf(nil, "%s:%s\n", user, hash))
		return fmt.Sprintf("auth: {htpasswd: {realm: test, path: %q}}\n", file)
	}
}

// Start starts a registry, empty, on a port of the kernel's choice.
func Start(t testing.TB, options ...Option) *Registry {
	t.Helper()
	dir := t.TempDir()
	r := &Registry{t: t, Authority: authority(t), login: authn.Anonymous}
	cert, key := r.Authority.issue(t, dir)
	config := fmt.Sprintf("version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %q}}\n"+
		"http: {addr: \"127.0.0.1:0\", secret: none, tls: {certificate: %q, key: %q}}\n", filepath.Join(dir, "data"), cert, key)
	for _, o := range options {
		config += o(t, dir, r)
	}
	cmd := exec.Command(testenv.Registry(t), "serve", write(t, dir, "config.yml", []byte(config)))
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, read := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(read)
		r.read(out, address)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
		_ = in.Close()
		<-read
	})
	select {
	case r.Addr = <-address:
	case <-t.Context().Done():
		t.Fatal("the registry does not listen")
	}
	return r
}

var (
	listening = regexp.MustCompile(`msg="listening on ([0-9.]+:[0-9]+), tls"`)
	access    = regexp.MustCompile(`"(GET|HEAD) (/v2/\S*) HTTP`)
)

// read takes in what the registry says: where it listens, and what is asked.
func (r *Registry) read(out io.Reader, address chan<- string) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	var said []string
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			address <- m[1]
		}
		if m := access.FindStringSubmatch(lines.Text()); m != nil {
			r.mu.Lock()
			r.requests = append(r.requests, m[1]+" "+m[2])
			r.mu.Unlock()
		}
		said = append(said, lines.Text())
	}
	if r.t.Failed() {
		r.t.Logf("the registry said:\n%s", strings.Join(said, "\n"))
	}
}

// Asked is how many requests for paths that contain a text were answered.
func (r *Registry) Asked(text string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, request := range r.requests {
		if strings.Contains(request, text) {
			n++
		}
	}
	return n
}

// Push puts an image under a name such as "team/web:1", and gives its whole
// reference.
func (r *Registry) Push(ctx context.Context, nameAndTag string, image v1.Image) string {
	r.t.Helper()
	ref, err := name.ParseReference(r.Addr + "/" + nameAndTag)
	if err != nil {
		r.t.Fatal(err)
	}
	transport := remote.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = r.Authority.client()
	defer transport.CloseIdleConnections()
	if err := remote.Write(ref, image, remote.WithContext(ctx), remote.WithAuth(r.login), remote.WithTransport(transport)); err != nil {
		r.t.Fatalf("push %s: %v", ref, err)
	}
	return ref.String()
}

func write(t testing.TB, dir, file string, data []byte) (path string) {
	t.Helper()
	path = filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
