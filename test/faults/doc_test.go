// Package faults shows what becomes of containers when what is below them
// fails: containerd refuses, loses, delays or never answers a call, at every
// call in turn; it is killed; its disk is full. Whatever is done then ends well
// or with an error that says what was being done, and can be tried again, and
// nothing is left half made. It also counts what two hundred containers leave.
package faults
