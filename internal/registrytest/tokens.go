package registrytest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
)

// WithTokens lets in whoever has a token of a token server, which gives them for
// the user's password. It is the protocol of the distribution registry: the
// registry names the server, and knows its signature.
func WithTokens(user, password string) Option {
	return func(t testing.TB, dir string, r *Registry) string {
		t.Helper()
		r.login = &authn.Basic{Username: user, Password: password}
		der, key := r.Authority.server(t)
		issuer := &tokens{user: user, password: password, cert: der, key: key}
		server := httptest.NewUnstartedServer(issuer)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
		server.StartTLS()
		t.Cleanup(server.Close)
		bundle := write(t, dir, "issuer.crt", r.Authority.PEM)
		// By name, since go-containerregistry takes no token server by a private address.
		realm := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/token"
		return fmt.Sprintf("auth: {token: {realm: %q, service: test, issuer: test, rootcertbundle: %q}}\n", realm, bundle)
	}
}

// tokens is the token server.
type tokens struct {
	user, password string
	cert           []byte
	key            *ecdsa.PrivateKey
}

func (s *tokens) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet { // the newer way, which a server need not know
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	if user, password, _ := req.BasicAuth(); user != s.user || password != s.password {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	var access []map[string]any
	for _, scope := range req.URL.Query()["scope"] {
		if part := strings.Split(scope, ":"); len(part) == 3 {
			access = append(access, map[string]any{"type": part[0], "name": part[1], "actions": strings.Split(part[2], ",")})
		}
	}
	token, err := s.sign(map[string]any{
		"iss": "test", "aud": "test", "sub": s.user, "access": access, "jti": rand.Text(),
		"nbf": time.Now().Add(-time.Minute).Unix(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 3600})
}

// sign makes a JSON Web Token with the server's own key.
func (s *tokens) sign(claims map[string]any) (string, error) {
	encode := func(v any) (string, error) {
		data, err := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data), err
	}
	head, err := encode(map[string]any{"alg": "ES256", "typ": "JWT", "x5c": []string{base64.StdEncoding.EncodeToString(s.cert)}})
	if err != nil {
		return "", err
	}
	body, err := encode(claims)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(head + "." + body))
	a, b, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	a.FillBytes(signature[:32])
	b.FillBytes(signature[32:])
	return head + "." + body + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
