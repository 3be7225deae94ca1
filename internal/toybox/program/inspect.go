package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// cat copies the files it is given, or standard input, to standard output.
func cat(p *process) int {
	if len(p.args) == 0 {
		return p.copyFrom(p.in)
	}
	for _, name := range p.args {
		f, err := os.Open(name)
		if err != nil {
			return p.fail(exitFailure, "cat: %v", err)
		}
		code := p.copyFrom(f)
		f.Close()
		if code != exitOK {
			return code
		}
	}
	return exitOK
}

func (p *process) copyFrom(r io.Reader) int {
	if _, err := io.Copy(p.out, r); err != nil {
		return p.fail(exitFailure, "cat: %v", err)
	}
	return exitOK
}

// env prints the environment, one NAME=VALUE a line.
func env(p *process) int {
	for _, entry := range os.Environ() {
		fmt.Fprintln(p.out, entry)
	}
	return exitOK
}

func pwd(p *process) int {
	dir, err := os.Getwd()
	if err != nil {
		return p.fail(exitFailure, "pwd: %v", err)
	}
	return p.print(dir + "\n")
}

func hostname(p *process) int {
	name, err := os.Hostname()
	if err != nil {
		return p.fail(exitFailure, "hostname: %v", err)
	}
	return p.print(name + "\n")
}

// id prints the numbers a test compares: uid=0 gid=0 groups=0,1000.
func id(p *process) int {
	groups, err := os.Getgroups()
	if err != nil {
		return p.fail(exitFailure, "id: %v", err)
	}
	var list []string
	for _, g := range groups {
		list = append(list, strconv.Itoa(g))
	}
	return p.print(fmt.Sprintf("uid=%d gid=%d groups=%s\n", os.Getuid(), os.Getgid(), strings.Join(list, ",")))
}

// listArgs prints each argument quoted on a line of its own, so that a test
// sees where one ends and the next begins.
func listArgs(p *process) int {
	for _, arg := range p.args {
		fmt.Fprintln(p.out, strconv.Quote(arg))
	}
	return exitOK
}

// touch creates each file that is not there; what is in it stays.
func touch(p *process) int {
	if len(p.args) == 0 {
		return p.fail(exitUsage, "touch: want the name of a file")
	}
	for _, name := range p.args {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return p.fail(exitFailure, "touch: %v", err)
		}
		f.Close()
	}
	return exitOK
}

// write FILE WORD... puts the words and a newline into a file, in the place of
// what is there.
func write(p *process) int {
	if len(p.args) == 0 {
		return p.fail(exitUsage, "write: want the name of a file, and words")
	}
	if err := os.WriteFile(p.args[0], []byte(strings.Join(p.args[1:], " ")+"\n"), 0o644); err != nil {
		return p.fail(exitFailure, "write: %v", err)
	}
	return exitOK
}
