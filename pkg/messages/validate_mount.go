package messages

import (
	"fmt"
	"strings"
)

// validateMounts checks each mount, and that no two share a target.
func (s *Spec) validateMounts() error {
	targets := make(map[string]int, len(s.Mounts))
	for i := range s.Mounts {
		field := fmt.Sprintf("mounts[%d]", i)
		m := &s.Mounts[i]
		if err := m.validate(s.os()); err != nil {
			return under(field, err)
		}
		if before, ok := targets[m.Target]; ok {
			return invalid(field+".target", m.Target, fmt.Sprintf("another target than mounts[%d]", before))
		}
		targets[m.Target] = i
	}
	return nil
}

// validate checks a mount for a container of a system, or of any if os is
// empty.
func (m *Mount) validate(os OS) error {
	if err := first(
		oneOf("type", m.Type, MountBind, MountVolume, MountAnonymous, MountTmpfs),
		m.validateSource(),
		checkAbsolute("target", m.Target, os),
		notNegative("size", m.Size),
		referenceOrNone("copy", m.Copy),
	); err != nil {
		return err
	}
	if strings.Trim(m.Target, `/\`) == "" {
		return invalid("target", m.Target, "a directory below the root")
	}
	if m.Copy != "" && m.Type != MountVolume {
		return invalid("copy", m.Copy, "a copy of a volume only")
	}
	if m.Size != 0 && m.Type != MountTmpfs {
		return invalid("size", m.Size, "a size for a tmpfs only")
	}
	return nil
}

// validateSource checks a source as its type reads it.
func (m *Mount) validateSource() error {
	switch m.Type {
	case MountBind:
		return checkAbsolute("source", m.Source, "") // a path of the node, whose system is not known here
	case MountVolume:
		if !validVolumeName(m.Source) {
			return invalid("source", m.Source, "a volume's name: 1 to 128 characters of A-Z a-z 0-9 . - _, beginning with a letter or digit")
		}
	case MountAnonymous, MountTmpfs:
		if m.Source != "" {
			return invalid("source", m.Source, "no source for "+string(m.Type))
		}
	}
	return nil
}

func validVolumeName(s string) bool {
	if s == "" || len(s) > MaxTokenLength || !isAlphanumeric(rune(s[0])) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !isAlphanumeric(r) && r != '.' && r != '-' && r != '_'
	})
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
