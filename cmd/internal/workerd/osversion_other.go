//go:build !windows

package workerd

// osVersion matters to images of Windows alone.
func osVersion() string { return "" }
