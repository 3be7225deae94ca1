// Package runhcs says in the terms of containerd's shim for Windows containers
// what a job's spec asks for, and reads what that shim says of them.
//
// All of it is pure: values in, values out. Nothing here needs Windows, so it is
// tested on every system; what touches Windows is in package containerd.
package runhcs

// Runtime is the shim, by the name that containerd knows it by.
const Runtime = "io.containerd.runhcs.v1"
