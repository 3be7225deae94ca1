// Package debimage makes container images of Debian packages, for tests that
// run software nobody here wrote. Nothing of it is in the repository: the
// packages come from the machine's own apt, with all they depend on.
//
//	image, err := debimage.Make(ctx, debimage.Config{
//		Packages: []string{"redis-server"},
//		Files:    map[string]string{"/etc/passwd": "root:x:0:0::/:/bin/sh\n"},
//		Config:   v1.Config{Entrypoint: []string{"redis-server"}},
//	})
//
// The files are as the packages hold them; no package is configured, so users
// and settings that a package makes when it is installed are not there.
// Functions may be called from several goroutines.
package debimage
