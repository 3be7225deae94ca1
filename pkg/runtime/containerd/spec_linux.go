package containerd

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
	"github.com/moby/sys/user"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// maxHostname is the longest host name that Linux takes.
const maxHostname = 63

// defaultPath is where programs are looked for when the image does not say.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ociSpec is what runc is told: containerd's defaults, then the image's, then
// the spec's.
func (r *Runtime) ociSpec(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, img *image) (*specs.Spec, error) {
	cid := containerID(id)
	s, err := oci.GenerateSpec(r.scope(ctx), nil, &containers.Container{ID: cid}, oci.WithDefaultUnixDevices, oci.WithoutRunMount)
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	s.Hostname = hostname(id, spec)
	s.Root.Readonly = spec.ReadOnly
	s.Linux.CgroupsPath = path.Join(r.cfg.CgroupParent, cid)
	if err := checkSysctls(spec); err != nil {
		return nil, err
	}
	s.Linux.Sysctl = spec.Sysctls
	if spec.Privileged {
		if err := setPrivileged(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := setDevices(s, spec.Devices); err != nil {
		return nil, err
	}
	if err := setProcess(s.Process, spec, img.config); err != nil {
		return nil, err
	}
	if err := r.setUser(ctx, s.Process, spec, img); err != nil {
		return nil, err
	}
	r.setNetwork(s, cid, spec)
	if err := r.setMounts(s, cid, mountsOf(spec, img.config)); err != nil {
		return nil, err
	}
	if err := setLimits(s, spec, accountsForSwap()); err != nil {
		return nil, err
	}
	if err := setCapabilities(s.Process, spec); err != nil {
		return nil, err
	}
	r.confine().setProfiles(s, spec)
	return s, nil
}

func hostname(id runtime.ContainerID, spec *messages.Spec) string {
	if spec.Hostname != "" {
		return spec.Hostname
	}
	name := id.String()
	if len(name) > maxHostname {
		name = containerID(id)
		name = name[len(name)-min(len(name), maxHostname):] // the end tells them apart
	}
	return strings.Trim(name, "-_")
}

// setProcess applies OCI's rules: an entrypoint of the spec's own drops the
// image's command with the image's entrypoint.
func setProcess(p *specs.Process, spec *messages.Spec, img ocispec.ImageConfig) error {
	entrypoint, args := spec.Entrypoint, spec.Args
	if len(entrypoint) == 0 {
		entrypoint = img.Entrypoint
		if len(args) == 0 {
			args = img.Cmd
		}
	}
	p.Args = slices.Concat(entrypoint, args)
	if len(p.Args) == 0 {
		return fmt.Errorf("spec.args: neither the spec nor the image names a program; give entrypoint or args: %w", errdefs.ErrInvalidArgument)
	}
	p.Terminal = spec.TTY
	p.Cwd = firstOf(spec.Workdir, img.WorkingDir, "/")
	p.Env = environment(img.Env, spec.Env, spec.TTY)
	return nil
}

// environment is the image's with the spec's over it.
func environment(image []string, spec map[string]string, tty bool) []string {
	env := []string{defaultPath}
	if tty {
		env = append(env, "TERM=xterm")
	}
	return setEnv(setEnv(env, image), entries(spec))
}

// entries are NAME=VALUE, in order.
func entries(env map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		out = append(out, name+"="+env[name])
	}
	return out
}

// setEnv puts entries over those of the same name, or at the end.
func setEnv(env, entries []string) []string {
	for _, entry := range entries {
		name, _, _ := strings.Cut(entry, "=")
		i := slices.IndexFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
		if i >= 0 {
			env[i] = entry
		} else {
			env = append(env, entry)
		}
	}
	return env
}

// setUser looks the user and the groups up in the image.
func (r *Runtime) setUser(ctx context.Context, p *specs.Process, spec *messages.Spec, img *image) error {
	known, err := r.accountsOf(ctx, img)
	if err != nil {
		return fmt.Errorf("the image's users: %w", err)
	}
	return lookUpUser("spec.user", p, firstOf(spec.User, img.config.User), spec.Groups, known)
}

// lookUpUser sets the process's user by name or number, and HOME where there is
// none.
func lookUpUser(field string, p *specs.Process, name string, groups []string, known accounts) error {
	u, err := user.GetExecUser(name, &user.ExecUser{Home: "/"}, known.passwdFile(), known.groupFile())
	if err != nil {
		return fmt.Errorf("%s: %q: %w; want a name or number that the image knows, as user[:group]: %w", field, name, err, errdefs.ErrInvalidArgument)
	}
	extra, err := user.GetAdditionalGroups(groups, known.groupFile())
	if err != nil {
		return fmt.Errorf("spec.groups: %w; want names that the image knows, or numbers: %w", err, errdefs.ErrInvalidArgument)
	}
	p.User = specs.User{UID: uint32(u.Uid), GID: uint32(u.Gid)}
	p.User.AdditionalGids = []uint32{p.User.GID}
	for _, gid := range slices.Concat(u.Sgids, extra) {
		if !slices.Contains(p.User.AdditionalGids, uint32(gid)) {
			p.User.AdditionalGids = append(p.User.AdditionalGids, uint32(gid))
		}
	}
	if !slices.ContainsFunc(p.Env, func(e string) bool { return strings.HasPrefix(e, "HOME=") }) {
		p.Env = append(p.Env, "HOME="+u.Home)
	}
	return nil
}

// overrideEnv puts changes over those of the same name.
func overrideEnv(env []string, changes map[string]string) []string {
	return setEnv(env, entries(changes))
}
