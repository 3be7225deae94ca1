package messages

import (
	"fmt"
	"strings"
)

// OS is an operating system as OCI images name it.
type OS string

// The operating systems that containers are made for.
const (
	Linux   OS = "linux"
	Windows OS = "windows"
	Darwin  OS = "darwin"
)

// ParseOS reads an operating system; "macos" is read as darwin. ok is false for
// every other name.
func ParseOS(s string) (os OS, ok bool) {
	switch s {
	case "linux", "windows", "darwin":
		return OS(s), true
	case "macos":
		return Darwin, true
	}
	return "", false
}

// UnmarshalText reads "macos" as darwin and leaves what it does not know as it
// is, for Validate to name.
func (o *OS) UnmarshalText(text []byte) error {
	if os, ok := ParseOS(string(text)); ok {
		*o = os
		return nil
	}
	*o = OS(text)
	return nil
}

// Platform is what an image is made for, or what a runtime can run. An empty
// field says nothing: as a demand it is no demand, as an offer it is unknown.
type Platform struct {
	OS        OS     `json:"os"`
	Arch      string `json:"arch"`                // as GOARCH: amd64, arm64
	OSVersion string `json:"os_version,omitzero"` // Windows builds: 10.0.20348
}

// String is os/arch, with the version of the system behind the os if known:
// windows(10.0.20348)/amd64.
func (p Platform) String() string {
	os := string(p.OS)
	if p.OSVersion != "" {
		os += "(" + p.OSVersion + ")"
	}
	if p.Arch == "" {
		return os
	}
	return os + "/" + p.Arch
}

// ParsePlatform reads what String writes. The operating system is required,
// the rest is not.
func ParsePlatform(s string) (Platform, error) {
	osPart, arch, _ := strings.Cut(s, "/")
	name, version := osPart, ""
	if i := strings.IndexByte(osPart, '('); i >= 0 && strings.HasSuffix(osPart, ")") {
		name, version = osPart[:i], osPart[i+1:len(osPart)-1]
	}
	os, ok := ParseOS(name)
	if !ok {
		return Platform{}, fmt.Errorf("platform %q: os %q is not known; want linux, windows or darwin, as in linux/amd64 or windows(10.0.20348)/amd64", s, name)
	}
	p := Platform{OS: os, Arch: arch, OSVersion: version}
	return p, p.Validate()
}

// Validate checks the platform's own form, not whether anything can run it.
func (p Platform) Validate() error {
	if err := first(checkOS("os", p.OS), checkArch("arch", p.Arch)); err != nil {
		return err
	}
	if !plainWord(p.OSVersion, 64) {
		return invalid("os_version", p.OSVersion, "a version such as 10.0.20348")
	}
	return nil
}

func checkOS(field string, os OS) error {
	if _, ok := ParseOS(string(os)); os != "" && !ok {
		return invalid(field, os, "linux, windows or darwin (macos is read as darwin)")
	}
	return nil
}

func checkArch(field, arch string) error {
	if !plainWord(arch, 32) {
		return invalid(field, arch, "an architecture such as amd64 or arm64")
	}
	return nil
}

// plainWord tells whether s can stand in a platform's written form: short, of
// letters, digits, dots, dashes and underscores.
func plainWord(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return !isAlphanumeric(r) && !strings.ContainsRune(".-_", r)
	})
}
