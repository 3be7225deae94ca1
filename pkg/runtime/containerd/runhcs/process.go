package runhcs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// root is where a program starts of which nothing is said.
const root = `C:\`

// process says which program runs, and in what surroundings. escape writes an
// argument as Windows' own rules want it on a command line.
func process(spec *messages.Spec, img ocispec.ImageConfig, escape func(string) string) (*specs.Process, error) {
	words, escaped := program(spec, img)
	if len(words) == 0 {
		return nil, fmt.Errorf("spec.args: neither the spec nor the image names a program; give entrypoint or args: %w", errdefs.ErrInvalidArgument)
	}
	p := &specs.Process{
		Terminal: spec.TTY,
		Cwd:      Path(firstOf(spec.Workdir, img.WorkingDir, root)),
		Env:      Environment(img.Env, spec.Env),
		User:     specs.User{Username: firstOf(spec.User, img.User)},
	}
	if escaped {
		p.CommandLine = commandLine(words, escape)
	} else {
		p.Args = words
	}
	return p, nil
}

// program is what OCI's rules make of a spec and its image: an entrypoint of the
// spec's own drops the image's command with the image's entrypoint. escaped
// tells that the first word is the beginning of a command line as it stands, as
// Docker writes one into images that it builds for Windows.
func program(spec *messages.Spec, img ocispec.ImageConfig) (words []string, escaped bool) {
	if len(spec.Entrypoint) > 0 {
		return slices.Concat(spec.Entrypoint, spec.Args), false
	}
	args := spec.Args
	if len(args) == 0 {
		args = img.Cmd
	}
	images := len(img.Entrypoint) > 0 || len(spec.Args) == 0              // the first word is the image's
	return slices.Concat(img.Entrypoint, args), images && img.ArgsEscaped //nolint:staticcheck // it is what such images say
}

// commandLine is the beginning of one, with arguments behind it.
func commandLine(words []string, escape func(string) string) string {
	line := words[0]
	for _, w := range words[1:] {
		line += " " + escape(w)
	}
	return line
}

// Environment is base with changes over it. Windows takes names that differ in
// case alone for one.
func Environment(base []string, changes map[string]string) []string {
	env := slices.Clone(base)
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		env = slices.DeleteFunc(env, func(e string) bool {
			other, _, _ := strings.Cut(e, "=")
			return strings.EqualFold(other, name)
		})
		env = append(env, name+"="+changes[name])
	}
	return env
}

// Path is a path in a Windows container as Windows writes it: with backslashes,
// and on drive C where it names none.
func Path(p string) string {
	p = strings.ReplaceAll(p, "/", `\`)
	if strings.HasPrefix(p, `\`) && !strings.HasPrefix(p, `\\`) {
		p = "C:" + p
	}
	if len(p) > len(root) {
		p = strings.TrimRight(p, `\`)
	}
	return p
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
