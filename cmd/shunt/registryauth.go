package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/pflag"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

// registryAuth is the flags of a verb that sends credentials along.
type registryAuth struct {
	user          string
	passwordStdin bool
	login         bool

	password string // once it was read
}

func (r *registryAuth) flags(f *pflag.FlagSet) {
	f.StringVar(&r.user, "registry-user", "", "`USER` to pull the image with; sent sealed, with --registry-password-stdin")
	f.BoolVar(&r.passwordStdin, "registry-password-stdin", false, "read that user's password from standard input")
	f.BoolVar(&r.login, "registry-login", false, "pull the image with what docker login has left on this machine; sent sealed")
}

// check refuses flags that do not go together. files are where jobs come from.
func (r *registryAuth) check(files []string) error {
	switch {
	case r.login && (r.user != "" || r.passwordStdin):
		return errors.New("--registry-login and --registry-user are both given; want one")
	case r.passwordStdin && r.user == "":
		return errors.New("--registry-password-stdin: whose password it is, is not said; want --registry-user too")
	case r.user != "" && !r.passwordStdin:
		return fmt.Errorf("--registry-user: %q has no password; want --registry-password-stdin too, and the password there", r.user)
	case r.passwordStdin && slices.Contains(files, "-"):
		return errors.New("-f - and --registry-password-stdin both read standard input; want the job in a file")
	}
	return nil
}

// add seals the credentials for the placers, or for the node that gets the job
// directly, and puts them into the job.
func (r *registryAuth) add(ctx context.Context, in io.Reader, c *client.Client, node string, job *messages.Job) error {
	if r.user == "" && !r.login {
		return nil
	}
	image := job.Args.Image // of a pull
	if job.Op.Places() {
		image = job.Spec.Image
	}
	registry, err := seal.RegistryOf(image)
	if err != nil {
		return err
	}
	auth := messages.RegistryAuth{Registry: registry, Username: r.user}
	if r.login {
		auth, err = loginOf(registry)
	} else {
		auth.Password, err = r.readPassword(in)
	}
	if err != nil {
		return err
	}
	if job.Spec == nil {
		job.Spec = &messages.Spec{}
	}
	if node != "" {
		job.Spec.RegistryAuth, err = c.SealFor(ctx, node, auth)
	} else {
		job.Spec.RegistryAuth, err = c.Seal(ctx, auth)
	}
	return err
}

// maxPassword is the longest password that is read, in bytes; some registries'
// are tokens.
const maxPassword = 64 << 10

func (r *registryAuth) readPassword(in io.Reader) (string, error) {
	if r.password != "" {
		return r.password, nil
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPassword))
	if err != nil {
		return "", fmt.Errorf("--registry-password-stdin: %w", err)
	}
	password := strings.TrimRight(string(data), "\r\n")
	if password == "" {
		return "", errors.New("--registry-password-stdin: standard input is empty; want the password")
	}
	r.password = password
	return password, nil
}

// loginOf is what docker login, or its credential helper, has for a registry.
func loginOf(registry string) (auth messages.RegistryAuth, err error) {
	where, err := name.NewRegistry(registry)
	if err != nil {
		return auth, fmt.Errorf("--registry-login: %w", err)
	}
	found, err := authn.DefaultKeychain.Resolve(where)
	if err != nil {
		return auth, fmt.Errorf("--registry-login: docker's configuration: %w", err)
	}
	config, err := found.Authorization()
	if err != nil {
		return auth, fmt.Errorf("--registry-login: the credentials for %s: %w", registry, err)
	}
	auth = messages.RegistryAuth{Registry: registry, Username: config.Username, Password: config.Password}
	switch {
	case config.IdentityToken != "":
		auth.Kind, auth.Username, auth.Password = messages.AuthToken, "<token>", config.IdentityToken
	case config.RegistryToken != "":
		auth.Kind, auth.Username, auth.Password = messages.AuthToken, "", config.RegistryToken
	case config.Password == "":
		return auth, fmt.Errorf("--registry-login: there are no credentials for %s on this machine; want `docker login %s` first", registry, registry)
	}
	return auth, nil
}
