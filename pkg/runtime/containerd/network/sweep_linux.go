package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

// Sweep takes away what containers that do not run have left, of whatever step a
// process was killed in: namespaces, addresses, rules and host ports, and the
// files of containers that are not there any more. running and known are about
// ids. Nothing may be starting meanwhile.
func (n *Networks) Sweep(ctx context.Context, running, known func(id string) bool) error {
	ids, err := n.ids()
	if err != nil {
		return err
	}
	var errs []error
	var valid []types.GCAttachment
	for _, id := range ids {
		switch {
		case running(id):
			valid = append(valid, types.GCAttachment{ContainerID: id, IfName: interfaceName})
		case known(id):
			errs = append(errs, n.Disconnect(ctx, id))
		default:
			errs = append(errs, n.Forget(ctx, id))
		}
	}
	return errors.Join(append(errs, n.sweepPlugins(ctx, valid), n.ports.sweep(n.cfg.RunDir))...)
}

func (n *Networks) ids() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(n.cfg.RunDir, "containers"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("network: %w", err)
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.Name())
	}
	return ids, nil
}

// Connected are the containers that have a network namespace here.
func (n *Networks) Connected() []string {
	ids, err := n.ids()
	if err != nil {
		n.log.Warn("which containers are connected is not known", "error", err)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return !isPinned(n.cfg.namespace(id)) })
}

// sweepPlugins tells the plugins what is still valid. A machine on which nothing
// was ever connected has nothing to tell them of.
func (n *Networks) sweepPlugins(ctx context.Context, valid []types.GCAttachment) error {
	if _, err := os.Stat(n.cfg.leasesDir()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	n.bridge.Lock()
	l, err := n.settled()
	n.bridge.Unlock()
	if err != nil {
		return err
	}
	args := &libcni.GCArgs{ValidAttachments: valid}
	err = errors.Join(n.cni.GCNetworkList(ctx, l.publish, args), n.cni.GCNetworkList(ctx, l.own, args))
	if err != nil {
		return fmt.Errorf("network: sweep: %w", err)
	}
	return nil
}

// Destroy takes everything away, the bridge and its rules too. It is for a node
// that is being given up, after its containers are gone. The directories go
// last, so that one that was cut off can be found and done again.
func (n *Networks) Destroy(ctx context.Context) error {
	none := func(string) bool { return false }
	if err := n.Sweep(ctx, none, none); err != nil {
		return err
	}
	if err := n.removeBridge(); err != nil {
		return err
	}
	return os.RemoveAll(n.cfg.RunDir)
}
