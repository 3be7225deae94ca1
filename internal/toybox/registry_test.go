package toybox_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/shunt-fleet/shunt/internal/toybox"
)

func serve(t *testing.T, options ...toybox.RegistryOption) *toybox.Registry {
	t.Helper()
	reg, err := toybox.Serve("127.0.0.1:0", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	return reg
}

func parse(t *testing.T, ref string) name.Reference {
	t.Helper()
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestIndexComesBackWithItsPlatforms(t *testing.T) {
	program := anyProgram(t)
	index, err := toybox.Index(
		mustImage(t, program, toybox.Linux("amd64")),
		mustImage(t, program, toybox.Linux("arm64")),
		mustImage(t, "", toybox.Windows("10.0.20348.2762")),
	)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := serve(t).Push(t.Context(), "team/all:1", index)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Index(parse(t, ref), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(pulled); err != nil {
		t.Errorf("the index is not valid: %v", err)
	}
	manifest, err := pulled.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range manifest.Manifests {
		got = append(got, entry.Platform.String())
	}
	want := []string{"linux/amd64", "linux/arm64", "windows/amd64:10.0.20348.2762"}
	if !slices.Equal(got, want) {
		t.Errorf("platforms of the index are %q, want %q", got, want)
	}
}

func TestImageComesBackAsItWasPushed(t *testing.T) {
	image := mustImage(t, anyProgram(t), toybox.Linux("amd64"), toybox.WithCmd("true"))
	ref, err := serve(t).Push(t.Context(), "hello:1", image)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(parse(t, ref), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: "amd64"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(pulled); err != nil {
		t.Errorf("the image is not valid: %v", err)
	}
	want, _ := image.Digest()
	if got, err := pulled.Digest(); err != nil || got != want {
		t.Errorf("digest is %s, %v; want %s", got, err, want)
	}
}

func TestBasicAuthRefusesStrangers(t *testing.T) {
	reg := serve(t, toybox.WithBasicAuth("user", "secret"))
	ref, err := reg.Push(t.Context(), "private:1", mustImage(t, anyProgram(t), toybox.Linux("amd64")))
	if err != nil {
		t.Fatal("the registry refuses its own push:", err)
	}
	for title, auth := range map[string]authn.Authenticator{
		"nobody":         authn.Anonymous,
		"wrong password": &authn.Basic{Username: "user", Password: "guess"},
		"wrong user":     &authn.Basic{Username: "other", Password: "secret"},
	} {
		_, err := remote.Head(parse(t, ref), remote.WithAuth(auth))
		if refused, ok := errors.AsType[*transport.Error](err); !ok || refused.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: got %v, want status 401", title, err)
		}
	}
	if _, err := remote.Head(parse(t, ref), remote.WithAuth(&authn.Basic{Username: "user", Password: "secret"})); err != nil {
		t.Errorf("the right user is refused: %v", err)
	}
}

func TestMiddlewareSeesEveryRequest(t *testing.T) {
	var seen atomic.Int64
	count := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen.Add(1)
			next.ServeHTTP(w, r)
		})
	}
	reg := serve(t, toybox.WithMiddleware(count))
	if _, err := remote.Head(parse(t, reg.Addr()+"/none:1")); err == nil {
		t.Error("an image that was never pushed is there")
	}
	if seen.Load() == 0 {
		t.Error("the middleware saw nothing")
	}
}

func TestPushRefusesABadName(t *testing.T) {
	_, err := serve(t).Push(t.Context(), "UPPER:1", mustImage(t, anyProgram(t), toybox.Linux("amd64")))
	if err == nil || !strings.Contains(err.Error(), "UPPER") {
		t.Errorf("got %v, want an error that names UPPER", err)
	}
}

func TestClosedRegistryAnswersNobody(t *testing.T) {
	reg := serve(t)
	if err := reg.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.Push(t.Context(), "hello:1", mustImage(t, anyProgram(t), toybox.Linux("amd64"))); err == nil {
		t.Error("a closed registry took an image")
	}
}
