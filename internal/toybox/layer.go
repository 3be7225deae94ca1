package toybox

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The names that tests resolve users and groups by.
const (
	passwd = "root:x:0:0:root:/:/bin/sh\ntoy:x:1000:1000:toy:/home/toy:/bin/sh\n"
	group  = "root:x:0:\ntoy:x:1000:\nbox:x:2000:toy\n"
)

// linuxLayer holds the program as /bin/toybox, a symbolic link for each applet
// and the few files and directories that programs take for granted.
func linuxLayer(program []byte) (v1.Layer, error) {
	var files []tar.Header
	for _, dir := range []string{"bin/", "etc/", "home/"} {
		files = append(files, tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755})
	}
	files = append(files,
		tar.Header{Name: "home/toy/", Typeflag: tar.TypeDir, Mode: 0o755, Uid: 1000, Gid: 1000},
		tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
		tar.Header{Name: "bin/toybox", Typeflag: tar.TypeReg, Mode: 0o755},
		tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644},
		tar.Header{Name: "etc/group", Typeflag: tar.TypeReg, Mode: 0o644},
	)
	for _, name := range Applets() {
		files = append(files, tar.Header{Name: "bin/" + name, Typeflag: tar.TypeSymlink, Linkname: "toybox", Mode: 0o777})
	}
	return layer(files, map[string][]byte{"bin/toybox": program, "etc/passwd": []byte(passwd), "etc/group": []byte(group)})
}

// noteLayer has the shape of a Windows layer, and says in it what it is.
func noteLayer(platform v1.Platform) (v1.Layer, error) {
	note := fmt.Appendf(nil, "An image of shunt's toybox, shaped like %s. There is no program in it.\r\n", platform.String())
	files := []tar.Header{
		{Name: "Files/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "Files/toybox.txt", Typeflag: tar.TypeReg, Mode: 0o644},
	}
	return layer(files, map[string][]byte{"Files/toybox.txt": note})
}

// layer packs files in the order given. The times are all zero, so the digest
// depends on the content alone.
func layer(files []tar.Header, contents map[string][]byte) (v1.Layer, error) {
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, header := range files {
		header.Format = tar.FormatUSTAR
		header.Size = int64(len(contents[header.Name]))
		if err := archive.WriteHeader(&header); err != nil {
			return nil, fmt.Errorf("toybox: %s in the layer: %w", header.Name, err)
		}
		if _, err := archive.Write(contents[header.Name]); err != nil {
			return nil, fmt.Errorf("toybox: %s in the layer: %w", header.Name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("toybox: layer: %w", err)
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	made, err := tarball.LayerFromOpener(opener, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestSpeed))
	if err != nil {
		return nil, fmt.Errorf("toybox: layer: %w", err)
	}
	return made, nil
}
