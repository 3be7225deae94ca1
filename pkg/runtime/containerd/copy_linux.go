package containerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// A volume with a copy moves with its job: a node takes the copy over before it
// runs the job, and gives it back when the container has stopped. Both change
// the digest that the copy's tag has, so that it tells who had it last, and
// whose is the newest data is decided by it alone:
//
//   - What is on the node counts when the copy is still what this node made of it.
//   - Else another has had it since. The copy counts; what is here was given back
//     before and is dropped, or never was and is set aside.
//   - A copy is replaced only by who has had it last. A node that was cut off and
//     comes back cannot undo what its successor has done.
type mark struct {
	Ref   string          `json:"ref"`
	Made  []digest.Digest `json:"made"`  // what this node made of the copy last; two: it may not have come to the second
	Given bool            `json:"given"` // all that is in the volume is in the copy
}

func (v volumeStore) markFile(name string) string {
	return filepath.Join(v.dir, "named", name, "copy.json")
}

// mark is what is known of a volume's copy; none that can be read is the zero
// mark, which is never right about a copy that is there.
func (v volumeStore) mark(name string) mark {
	var m mark
	if data, err := os.ReadFile(v.markFile(name)); err == nil {
		_ = json.Unmarshal(data, &m)
	}
	return m
}

func (v volumeStore) setMark(name string, m mark) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	file := v.markFile(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return err
	}
	if err := syncFileSystem(filepath.Dir(file)); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// isOurs tells whether a copy is what this node has made of it.
func (m mark) isOurs(ref imageRef, now *registryCopy) bool {
	return now.digest == "" || m.Ref == ref.name && slices.Contains(m.Made, now.digest)
}

// bringVolumes is takeCopies for a container that is not there yet.
func (r *Runtime) bringVolumes(ctx context.Context, cid string, spec *messages.Spec, opts runtime.CreateOptions) error {
	if !slices.ContainsFunc(spec.Mounts, func(m messages.Mount) bool { return m.Copy != "" }) {
		return nil
	}
	_, err := r.records.Get(ctx, cid)
	switch err = native(err); {
	case err == nil:
		return fmt.Errorf("it is there: %w", errdefs.ErrAlreadyExists)
	case !errdefs.IsNotFound(err):
		return err
	}
	return r.takeCopies(ctx, spec, opts)
}

// takeCopies brings the volumes of a container that have copies up to date, and
// takes the copies over. Nothing there yet is an empty volume; a registry that
// does not answer is an error.
func (r *Runtime) takeCopies(ctx context.Context, spec *messages.Spec, opts runtime.CreateOptions) error {
	for i, m := range spec.Mounts {
		if m.Copy == "" {
			continue
		}
		if err := r.takeCopy(ctx, fmt.Sprintf("spec.mounts[%d].copy", i), spec, m, opts); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runtime) takeCopy(ctx context.Context, field string, spec *messages.Spec, m messages.Mount, opts runtime.CreateOptions) error {
	place, err := r.placeOf(ctx, field, m.Copy, spec.Image, opts.Auth)
	if err != nil {
		return err
	}
	unlock, err := r.volumes.locks.lock(ctx, m.Source)
	if err != nil {
		return err
	}
	defer unlock()
	now, err := place.look(ctx)
	if err != nil {
		return err
	}
	if err := r.catchUp(ctx, place, m.Source, now); err != nil {
		return err
	}
	if m.ReadOnly {
		return nil
	}
	layer, ok := now.data()
	if !ok {
		layer = ocispec.DescriptorEmptyJSON
	}
	notes := ownersNotes(m.Source, opts.Owner)
	notes[noteTaken] = "true"
	if root, ok := now.manifest.Annotations[noteRoot]; ok {
		notes[noteRoot] = root
	}
	return r.change(ctx, place, m.Source, now, layer, notes, false)
}

func ownersNotes(volume string, owner runtime.Owner) map[string]string {
	return map[string]string{noteVolume: volume, noteJob: owner.Job, noteTry: strconv.FormatUint(owner.Attempt, 10)}
}

// catchUp makes the volume on this node what it has to be before it is used.
func (r *Runtime) catchUp(ctx context.Context, place *copyPlace, name string, now *registryCopy) error {
	at := r.volumes.named(name)
	m := r.volumes.mark(name)
	_, err := os.Lstat(at)
	here := err == nil
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case here && m.isOurs(place.ref, now):
		return nil
	case here && m.Given && m.Ref == place.ref.name:
		err = os.RemoveAll(at)
	case here:
		err = r.setAside(name, now)
	default:
		err = nil
	}
	if _, ok := now.data(); err != nil || !ok {
		return err
	}
	if now.manifest.Annotations[noteTaken] != "" {
		r.log.Warn("a volume's copy was not given back by who had it last; what that one has written is not in it",
			"volume", name, "copy", place.ref.name, "holder", now.holder())
	}
	if err := r.volumes.make(at, func(dir string) error { return place.unpack(ctx, now, dir) }); err != nil {
		return err
	}
	return r.volumes.setMark(name, mark{Ref: place.ref.name, Made: []digest.Digest{now.digest}, Given: true})
}

// setAside keeps what is in a volume and was never given back, while another has
// gone on without it. The last of these is kept.
func (r *Runtime) setAside(name string, now *registryCopy) error {
	aside := filepath.Join(filepath.Dir(r.volumes.named(name)), "aside")
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	r.log.Warn("a volume on this node was not given back, and its copy has gone on without it; it is set aside",
		"volume", name, "holder", now.holder(), "aside", aside)
	return os.Rename(r.volumes.named(name), aside)
}

// change makes another manifest of the copy. It is noted before, so that it is
// known for ours whatever becomes of the call.
func (r *Runtime) change(ctx context.Context, place *copyPlace, name string, now *registryCopy, layer ocispec.Descriptor, notes map[string]string, given bool) error {
	desc, data, err := manifestOf(layer, notes)
	if err != nil {
		return err
	}
	before := mark{Ref: place.ref.name, Made: []digest.Digest{now.digest, desc.Digest}}
	if err := r.volumes.setMark(name, before); err != nil {
		return err
	}
	if err := place.pushManifest(ctx, desc, data); err != nil {
		return err
	}
	return r.volumes.setMark(name, mark{Ref: place.ref.name, Made: []digest.Digest{desc.Digest}, Given: given})
}

// giveCopy puts what is in a volume into its copy, if that is still this node's
// to change. It gives it back unless the container runs on.
func (r *Runtime) giveCopy(ctx context.Context, place *copyPlace, name string, owner runtime.Owner, runs bool) (digest.Digest, error) {
	unlock, err := r.volumes.locks.lock(ctx, name)
	if err != nil {
		return "", err
	}
	defer unlock()
	now, err := r.lookAtOurs(ctx, place, name)
	if err != nil {
		return "", err
	}
	if r.volumes.mark(name).Given && now.digest != "" && !runs {
		return now.digest, nil
	}
	layer, notes, err := r.pushVolume(ctx, place, name, owner)
	if err != nil {
		return "", err
	}
	if now, err = r.lookAtOurs(ctx, place, name); err != nil { // the data took its time
		return "", err
	}
	if err := r.change(ctx, place, name, now, layer, notes, !runs); err != nil {
		return "", err
	}
	return r.volumes.mark(name).Made[0], nil
}

// lookAtOurs is look, and an error when another has had the copy since.
func (r *Runtime) lookAtOurs(ctx context.Context, place *copyPlace, name string) (*registryCopy, error) {
	now, err := place.look(ctx)
	if err != nil || r.volumes.mark(name).isOurs(place.ref, now) {
		return now, err
	}
	return nil, fmt.Errorf("copy of a volume: %s has been taken over by %s; what is in volume %s stays on this node: %w",
		place.ref.name, now.holder(), name, errdefs.ErrFailedPrecondition)
}

// pushVolume sends a volume's data; the manifest comes after it.
func (r *Runtime) pushVolume(ctx context.Context, place *copyPlace, name string, owner runtime.Owner) (ocispec.Descriptor, map[string]string, error) {
	dir := r.volumes.named(name)
	notes := ownersNotes(name, owner)
	var err error
	if notes[noteRoot], err = rootOf(dir); err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	layer, err := describePack(ctx, dir)
	if err != nil {
		return layer, nil, fmt.Errorf("read volume %s: %w", name, err)
	}
	return layer, notes, place.pushData(ctx, layer, dir)
}

// backUp puts what is in a volume into one more copy, whatever is there.
func (r *Runtime) backUp(ctx context.Context, place *copyPlace, name string, owner runtime.Owner) (digest.Digest, error) {
	layer, notes, err := r.pushVolume(ctx, place, name, owner)
	if err != nil {
		return "", err
	}
	desc, data, err := manifestOf(layer, notes)
	if err != nil {
		return "", err
	}
	return desc.Digest, place.pushManifest(ctx, desc, data)
}

// useVolumes notes that volumes with copies are about to be written to.
func (r *Runtime) useVolumes(ctx context.Context, spec *messages.Spec) error {
	for _, m := range spec.Mounts {
		if m.Copy == "" || m.ReadOnly {
			continue
		}
		unlock, err := r.volumes.locks.lock(ctx, m.Source)
		if err != nil {
			return err
		}
		known := r.volumes.mark(m.Source)
		if known.Given {
			known.Given = false
			err = r.volumes.setMark(m.Source, known)
		}
		unlock()
		if err != nil {
			return err
		}
	}
	return nil
}
