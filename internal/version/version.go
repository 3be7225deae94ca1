// Package version says which release of shunt a program was built from.
package version

// Version is the release as git describes it, "0.1.0" or "0.1.0-3-g1a2b3c4".
// The build sets it (see the Makefile); "dev" means that nobody did.
var Version = "dev"
