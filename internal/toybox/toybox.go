// Package toybox makes container images out of nothing but shunt itself, and
// serves them from a registry inside the process.
//
// The demo, the tests and the benchmarks need real images on machines that
// reach no registry. Theirs hold one small static program (package program
// below) under the names of all its applets, so that /bin/echo, /bin/sleep and
// /bin/sh -c work as anyone expects:
//
//	program, err := toybox.Find("")
//	img, err := toybox.Image(program, toybox.Linux("amd64"), toybox.WithCmd("echo", "hello"))
//	reg, err := toybox.Serve("127.0.0.1:0")
//	defer reg.Close()
//	ref, err := reg.Push(ctx, "team/hello:1", img) // "127.0.0.1:41213/team/hello:1"
//
// The same program and options give the same digest every time. Images and
// indexes are values that may be used from several goroutines, and so may a
// Registry.
package toybox

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Linux is the platform linux/arch.
func Linux(arch string) v1.Platform { return v1.Platform{OS: "linux", Architecture: arch} }

// Windows is the platform windows/amd64 of one build, such as
// "10.0.20348.2762"; an empty build is left out.
func Windows(build string) v1.Platform {
	return v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: build}
}

// Applets are the names under which the program is found in /bin of a Linux
// image. A test compares them with what the program itself says.
func Applets() []string {
	return []string{
		"args", "cat", "echo", "env", "exit", "false", "flood", "forks", "get", "handle-term", "hostname", "http", "id",
		"ignore-term", "kill-self", "oom", "printerr", "pwd", "sh", "sleep", "stat", "stty", "touch", "true", "udp-echo", "write",
	}
}
