//go:build linux || windows

package containerd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
)

// leaseAge is when a lease ends by itself whose holder was killed.
const leaseAge = 24 * time.Hour

// leased does something whose results in the store are kept, until something
// else refers to them, by a lease. What was fetched in part when that fails is
// left to containerd, which sweeps it away in its own time, so that the next try
// can go on from there; but for a full disk: then it is gone before leased
// returns. Those with the same purpose come one after the other, and take up a
// lease that could not be ended.
func (r *Runtime) leased(ctx context.Context, purpose string, do func(context.Context) error) error {
	unlock, err := r.leases.lock(ctx, purpose)
	if err != nil {
		return err
	}
	defer unlock()
	id := leaseID(purpose)
	ctx = r.scope(ctx)
	err = r.insist(ctx, func() error {
		_, err := r.client.LeasesService().Create(ctx, leases.WithID(id), leases.WithExpiration(leaseAge))
		if errdefs.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
	if err == nil {
		err = do(leases.WithLease(ctx, id))
	}
	ending, cancel := cleanup(ctx)
	defer cancel()
	sweep := errdefs.IsResourceExhausted(native(err))
	if endErr := r.insist(ending, func() error { return r.endLease(ending, id, sweep) }); endErr != nil {
		r.log.Warn("a lease could not be ended yet", "purpose", purpose, "error", endErr)
		r.tending.Go(func() { r.endLeaseLater(purpose) })
	}
	return err
}

func leaseID(purpose string) string {
	sum := sha256.Sum256([]byte(purpose))
	return "shunt-" + hex.EncodeToString(sum[:16])
}

// endLease ends a lease; sweep says that what only it has kept has to be gone
// when endLease returns.
func (r *Runtime) endLease(ctx context.Context, id string, sweep bool) error {
	var how []leases.DeleteOpt
	if sweep {
		how = append(how, leases.SynchronousDelete)
	}
	return ignoreNotFound(native(r.client.LeasesService().Delete(ctx, leases.Lease{ID: id}, how...)))
}

// endLeaseLater ends a lease when containerd is back, or leaves it to its age
// when the runtime is closed before.
func (r *Runtime) endLeaseLater(purpose string) {
	ctx := r.scope(r.life)
	_, _ = backoff.Retry(ctx, func() (struct{}, error) {
		unlock, err := r.leases.lock(ctx, purpose)
		if err != nil {
			return struct{}{}, err
		}
		defer unlock()
		return struct{}{}, r.unlessAway(ctx, r.endLease(ctx, leaseID(purpose), true), "end the lease of "+purpose)
	}, r.retryAway()...)
}
