package messages

// Fit is how well an offered platform serves a wanted one, from worse to
// better.
type Fit int

// The fits. All from FitUnknownBuild on can run what is wanted.
const (
	FitOtherOS Fit = iota
	FitOtherArch
	FitOtherBuild   // Windows, and the builds differ
	FitUnknownBuild // it fits as far as one can tell
	FitSameBuild
	FitExact
)

// OK tells whether the offer can run what is wanted.
func (f Fit) OK() bool { return f >= FitUnknownBuild }

// FitOf compares an offer with what is wanted. A field that either leaves empty
// is no obstacle. A Windows container shares its host's kernel, so the builds,
// the first three parts of the version (10.0.20348), have to agree; elsewhere
// the version means nothing.
func FitOf(offer, want Platform) Fit {
	os := want.OS
	if os == "" {
		os = offer.OS
	}
	switch {
	case offer.OS != "" && offer.OS != os:
		return FitOtherOS
	case offer.Arch != "" && want.Arch != "" && offer.Arch != want.Arch:
		return FitOtherArch
	case os != Windows:
		return FitExact
	case offer.OSVersion == "" || want.OSVersion == "":
		return FitUnknownBuild
	case offer.OSVersion == want.OSVersion:
		return FitExact
	case WindowsBuild(offer.OSVersion) == WindowsBuild(want.OSVersion):
		return FitSameBuild
	}
	return FitOtherBuild
}

// WindowsBuild is the first three parts of a version of Windows, which images
// and hosts have to share.
func WindowsBuild(version string) string {
	dots := 0
	for i := range len(version) {
		if version[i] != '.' {
			continue
		}
		if dots++; dots == 3 {
			return version[:i]
		}
	}
	return version
}
