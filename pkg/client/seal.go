package client

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

// Seal puts credentials for a registry into a box for the placers, who seal them
// anew for the node chosen: the RegistryAuth of a job's spec. Every call makes
// another box, and so another job: who submits a job again sends the same one.
func (c *Client) Seal(ctx context.Context, auth messages.RegistryAuth) (*messages.SealedAuth, error) {
	info, err := c.Info(ctx)
	if err != nil {
		return nil, err
	}
	return sealFor("the placers", info.XKey, auth)
}

// SealFor is Seal for a job that is given to a node directly. Nobody but that
// node can open the box, so the job cannot be pulled for elsewhere.
func (c *Client) SealFor(ctx context.Context, node string, auth messages.RegistryAuth) (*messages.SealedAuth, error) {
	info, err := c.Node(node).Info(ctx)
	if err != nil {
		return nil, err
	}
	return sealFor("node "+node, info.XKey, auth)
}

func sealFor(who, xkey string, auth messages.RegistryAuth) (*messages.SealedAuth, error) {
	if xkey == "" {
		return nil, fmt.Errorf("%s tell no xkey just now to seal credentials for: %w", who, errdefs.ErrUnavailable)
	}
	return seal.Seal(auth, xkey)
}
