package debimage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// merge writes the files of all packages into one archive.
func merge(ctx context.Context, to string, archives []string) error {
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("debimage: %w", err)
	}
	defer f.Close()
	out := tar.NewWriter(f)
	seen := map[string]bool{} // directories, which many packages have
	for _, archive := range archives {
		if err := appendPackage(ctx, out, archive, seen); err != nil {
			return fmt.Errorf("debimage: %s: %w", filepath.Base(archive), err)
		}
	}
	return errors.Join(out.Close(), f.Close())
}

func appendPackage(ctx context.Context, out *tar.Writer, archive string, seen map[string]bool) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", archive)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	copyErr := copyEntries(out, tar.NewReader(stdout), seen)
	_, drainErr := io.Copy(io.Discard, stdout)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("dpkg-deb: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return errors.Join(copyErr, drainErr)
}

func copyEntries(out *tar.Writer, in *tar.Reader, seen map[string]bool) error {
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag == tar.TypeDir {
			name := filepath.Clean(header.Name)
			if seen[name] {
				continue
			}
			seen[name] = true
		}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
}

// filesLayer is a layer of some small files.
func filesLayer(files map[string]string) (v1.Layer, error) {
	var archive bytes.Buffer
	out := tar.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		header := &tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if err := out.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("debimage: %s: %w", name, err)
		}
		if _, err := io.WriteString(out, content); err != nil {
			return nil, fmt.Errorf("debimage: %s: %w", name, err)
		}
	}
	if err := out.Close(); err != nil {
		return nil, fmt.Errorf("debimage: %w", err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestSpeed))
	if err != nil {
		return nil, fmt.Errorf("debimage: the layer of files: %w", err)
	}
	return layer, nil
}
