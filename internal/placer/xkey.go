package placer

import (
	"context"
	"errors"
	"fmt"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

// xkeyEntry is where the placers' key is in its bucket.
const xkeyEntry = "placers"

// xkey is the key that jobs' credentials are sealed for. All placers have the
// same: who needs it first makes it. It is not remembered, since a store that
// was lost has another one; only jobs with credentials pay for that.
func (p *Placer) xkey(ctx context.Context) (*seal.Key, error) {
	if p.cfg.Key != nil {
		return p.cfg.Key, nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.RequestTimeout)
	defer cancel()
	found, err := p.keys.Get(ctx, xkeyEntry)
	if errors.Is(err, bus.ErrNotFound) {
		if err = p.makeXKey(ctx); err == nil {
			found, err = p.keys.Get(ctx, xkeyEntry)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the placers' xkey: %w", err)
	}
	return seal.KeyFrom(found.Value)
}

// makeXKey makes the placers' key, unless another one was quicker.
func (p *Placer) makeXKey(ctx context.Context) error {
	made, err := seal.NewKey()
	if err != nil {
		return err
	}
	if _, err = p.keys.Create(ctx, xkeyEntry, made.Seed()); errors.Is(err, bus.ErrExists) {
		return nil
	}
	return err
}

// checkAuth refuses credentials that the placers cannot hand on: a
// *messages.Error. Any other error may pass.
func (p *Placer) checkAuth(ctx context.Context, job *messages.Job) error {
	if job.Spec == nil || job.Spec.RegistryAuth == nil {
		return nil
	}
	key, err := p.xkey(ctx)
	if err == nil {
		_, err = key.Open(job)
	}
	return err
}

// sealFor is the job with its credentials sealed for a node. A box that the
// placers cannot open is left as it is, and the node says no to it: unless it
// was sealed for that node, in a direct command, or the node has the attempt.
func (p *Placer) sealFor(ctx context.Context, node string, job messages.Job) (messages.Job, error) {
	if job.Spec == nil || job.Spec.RegistryAuth == nil {
		return job, nil
	}
	key, err := p.xkey(ctx)
	if err != nil {
		return job, err
	}
	auth, err := key.Open(&job)
	if err != nil {
		p.log.Warn("a job's credentials are not sealed for the placers; the node gets the box as it is", "job", job.ID, "node", node, "error", err)
		return job, nil
	}
	xkey, err := p.xkeyOf(ctx, node)
	if err != nil {
		return job, fmt.Errorf("learn the xkey of node %s: %w", node, err)
	}
	spec := *job.Spec
	spec.RegistryAuth, err = seal.Seal(*auth, xkey)
	job.Spec = &spec
	return job, err
}

// xkeyOf is a node's public key, from its heartbeats or, when it was not heard
// yet, from itself.
func (p *Placer) xkeyOf(ctx context.Context, node string) (string, error) {
	if xkey := p.fleet.xkey(node); xkey != "" {
		return xkey, nil
	}
	info, err := askSoon[messages.InfoReply](ctx, p, node, messages.VerbInfo, messages.EmptyRequest{V: messages.Version})
	return info.XKey, err
}
