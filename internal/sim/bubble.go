package sim

import (
	"flag"
	"os"
	"testing"
)

// Harness is the *testing.T that synctest wants, in a program that is no test.
// Package testing has one way to get it that is for programs: Main, which "other
// systems that simulate go test" use. Its one test hands itself over and never
// ends, so that Main does not end the process. The flags of go test are
// registered in a set of their own that nobody sees. It must be called once at
// the most, before other goroutines look at os.Args or package flag.
func Harness() *testing.T {
	handed := make(chan *testing.T)
	args, flags := os.Args, flag.CommandLine
	os.Args, flag.CommandLine = args[:1], flag.NewFlagSet(args[0], flag.ContinueOnError)
	match := func(string, string) (bool, error) { return true, nil }
	go testing.Main(match, []testing.InternalTest{{Name: "simulation", F: func(t *testing.T) {
		handed <- t
		select {}
	}}}, nil, nil)
	t := <-handed
	os.Args, flag.CommandLine = args, flags
	return t
}
