package containerd

import (
	"bytes"
	"context"
	"io"
	"os"
	"sync/atomic"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"
)

// imageUsers are the users of an image; nil: not read yet.
type imageUsers = atomic.Pointer[accounts]

// accounts are the files of an image that know its users.
type accounts struct{ passwd, group []byte }

// maxAccountFile bounds what is read of them.
const maxAccountFile = 1 << 20

func (a accounts) passwdFile() io.Reader { return bytes.NewReader(a.passwd) }

func (a accounts) groupFile() io.Reader { return bytes.NewReader(a.group) }

// accountsOf are the users of an unpacked image, read once.
func (r *Runtime) accountsOf(ctx context.Context, img *image) (accounts, error) {
	if known := img.users.Load(); known != nil {
		return *known, nil
	}
	purpose := "accounts " + img.chain
	var a accounts
	err := r.leased(ctx, purpose, func(ctx context.Context) (err error) {
		if known := img.users.Load(); known != nil { // read by who came first
			a = *known
			return nil
		}
		a, err = r.readAccounts(ctx, img.chain)
		if errdefs.IsNotFound(err) { // put into the store by somebody who did not unpack it
			if err = r.unpack(ctx, img); err == nil {
				a, err = r.readAccounts(ctx, img.chain)
			}
		}
		return err
	})
	if err == nil {
		img.users.Store(&a)
	}
	return a, err
}

// readAccounts mounts a view of the image for as long as it takes.
func (r *Runtime) readAccounts(ctx context.Context, chain string) (a accounts, err error) {
	key := "shunt-accounts-" + chain
	var mounts []mount.Mount
	err = r.insist(ctx, func() (err error) {
		mounts, err = r.snapshots.View(ctx, key, chain)
		if errdefs.IsAlreadyExists(err) { // left by one that was cut short
			mounts, err = r.snapshots.Mounts(ctx, key)
		}
		return err
	})
	if err != nil {
		return a, err
	}
	defer func() {
		ctx, cancel := cleanup(ctx)
		defer cancel()
		_ = r.insist(ctx, func() error { return ignoreNotFound(r.snapshots.Remove(ctx, key)) }) // the next reader takes it up
	}()
	err = mount.WithReadonlyTempMount(ctx, mounts, func(root string) error {
		a, err = accountsIn(root)
		return err
	})
	return a, err
}

// accountsIn reads the users of a file system. The files may be missing, and
// links that lead out of it are not followed.
func accountsIn(dir string) (a accounts, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return a, err
	}
	defer root.Close()
	a.passwd = readSome(root, "etc/passwd")
	a.group = readSome(root, "etc/group")
	return a, nil
}

// readSome is the file's content, or nothing where there is no plain file.
func readSome(root *os.Root, name string) []byte {
	info, err := root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxAccountFile))
	if err != nil {
		return nil
	}
	return data
}
