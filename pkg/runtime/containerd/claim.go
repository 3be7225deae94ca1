//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
)

// claim makes a container's record, which is what makes its id taken. A record
// of a container whose making was cut short, with this worker or the last one,
// is in nobody's use and gives way.
func (r *Runtime) claim(ctx context.Context, rec containers.Container) error {
	err := r.createRecord(ctx, rec)
	if err != nil && !errdefs.IsAlreadyExists(err) {
		r.disclaim(ctx, rec)
	}
	if !errdefs.IsAlreadyExists(err) {
		return err
	}
	half, lookErr := r.halfMade(ctx, rec.ID)
	if lookErr != nil || !half {
		return errors.Join(err, lookErr)
	}
	r.log.Info("a container whose making was cut short is made anew", "container", rec.ID)
	if err := r.unmake(ctx, rec.ID); err != nil {
		return fmt.Errorf("what a creation that was cut short has left: %w", err)
	}
	return r.createRecord(ctx, rec)
}

// createRecord is AlreadyExists only when the record there is another one, and
// not this one, made by a call whose answer was lost.
func (r *Runtime) createRecord(ctx context.Context, rec containers.Container) error {
	return r.insist(ctx, func() error {
		_, err := r.records.Create(ctx, rec)
		if !errdefs.IsAlreadyExists(err) {
			return err
		}
		there, getErr := r.records.Get(ctx, rec.ID)
		switch {
		case errdefs.IsNotFound(getErr): // removed between the two
			return err
		case getErr != nil:
			return getErr
		case there.Labels[labelMaking] == rec.Labels[labelMaking]:
			return nil
		}
		return err
	})
}

// disclaim takes away a record that may have been made. Should it stay, the
// next Create finds it.
func (r *Runtime) disclaim(ctx context.Context, rec containers.Container) {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	there, err := r.records.Get(ctx, rec.ID)
	if err == nil && there.Labels[labelMaking] == rec.Labels[labelMaking] {
		err = r.unmake(ctx, rec.ID)
	}
	if err = ignoreNotFound(native(err)); err != nil {
		r.log.Warn("whether half of a container was made is not known; it would be made anew", "container", rec.ID, "error", err)
	}
}

// halfMade tells whether a record is all or nearly all that there is of a
// container. The caller holds the lock of its id, so nobody is at it.
func (r *Runtime) halfMade(ctx context.Context, cid string) (bool, error) {
	rec, err := r.records.Get(ctx, cid)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, native(err)
	}
	task, err := r.task(ctx, cid)
	if err != nil || task != nil || !startedAt(rec.Labels).IsZero() || rec.Labels[labelFailed] != "" {
		return false, err
	}
	_, err = r.client.SnapshotService(rec.Snapshotter).Stat(ctx, rec.SnapshotKey)
	if errdefs.IsNotFound(err) {
		return true, nil
	}
	_, logErr := os.Stat(r.logs.live(cid)) // it is made last
	return errors.Is(logErr, fs.ErrNotExist), native(err)
}

// unmake takes away what a Create that failed has made, its record last: as
// long as it is there, what is left can be found.
func (r *Runtime) unmake(ctx context.Context, cid string) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	// What stays of these is found by the next Create.
	asideErr := errors.Join(r.logs.drop(cid), r.removeAnonymous(cid))
	err := r.insist(ctx, func() error { return ignoreNotFound(r.snapshots.Remove(ctx, cid)) })
	if err == nil {
		err = r.insist(ctx, func() error { return ignoreNotFound(r.records.Delete(ctx, cid)) })
	}
	return errors.Join(err, asideErr)
}

func ignoreNotFound(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
