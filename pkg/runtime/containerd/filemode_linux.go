package containerd

import (
	"archive/tar"
	"io/fs"
	"syscall"
)

type tarHeader = tar.Header

// ownerOf is who owns a file.
func ownerOf(info fs.FileInfo) (uid, gid uint32) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid, s.Gid
	}
	return 0, 0
}

// The bits beside the permissions, as Linux has them.
var modeBits = []struct {
	file fs.FileMode
	unix uint32
}{{fs.ModeSetuid, syscall.S_ISUID}, {fs.ModeSetgid, syscall.S_ISGID}, {fs.ModeSticky, syscall.S_ISVTX}}

func unixMode(m fs.FileMode) uint32 {
	out := uint32(m.Perm())
	for _, bit := range modeBits {
		if m&bit.file != 0 {
			out |= bit.unix
		}
	}
	return out
}

func fileMode(unix uint32) fs.FileMode {
	out := fs.FileMode(unix) & fs.ModePerm
	for _, bit := range modeBits {
		if unix&bit.unix != 0 {
			out |= bit.file
		}
	}
	return out
}
