// Toybox is the small static program inside shunt's own container images.
//
// Like busybox it is many programs in one file: it acts as the applet its own
// base name says (/bin/echo), or as the one its first argument says
// (toybox echo hello). It needs no shell, no libc and no file beside it, so an
// image FROM scratch with nothing else in it runs.
//
//	toybox sh -c 'echo hello; sleep 0.5; exit 3'
//
// "toybox --list" prints the names of all applets. An applet that does not
// exist ends with 127, wrong arguments end with 2: what a shell would do.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Exit codes that shells agree on.
const (
	exitOK       = 0
	exitFailure  = 1
	exitUsage    = 2
	exitNotFound = 127
	exitSignal   = 128 // plus the number of the signal
)

// A process is what an applet sees of the world. Applets run inside the shell
// applet too, so they use these streams and never call os.Exit.
type process struct {
	args     []string // without the applet's name
	in       io.Reader
	out, err io.Writer
}

// An applet does one thing and returns its exit code.
type applet func(p *process) int

// fail prints why an applet cannot go on, and gives the code to end with.
func (p *process) fail(code int, format string, args ...any) int {
	fmt.Fprintf(p.err, "toybox: "+format+"\n", args...)
	return code
}

// applets is a function, not a variable, because the shell applet looks the
// others up here.
func applets() map[string]applet {
	return map[string]applet{
		"true": succeed, "false": failure, "exit": exit, "echo": echo, "sleep": sleep, "printerr": printErr,
		"sh":  shell,
		"cat": cat, "env": env, "pwd": pwd, "id": id, "hostname": hostname, "args": listArgs, "touch": touch, "write": write, "stat": stat, "stty": stty,
		"ignore-term": ignoreTerm, "handle-term": handleTerm, "kill-self": killSelf,
		"oom": outOfMemory, "flood": flood, "forks": forks,
		"http": serveHTTP, "get": get, "udp-echo": echoUDP,
	}
}

func main() {
	p := &process{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	p.args = os.Args[1:]
	if _, ok := applets()[name]; !ok {
		name, p.args = fromArgument(p.args)
	}
	endOnSignal(name)
	os.Exit(run(name, p))
}

// fromArgument takes the applet's name from the first argument.
func fromArgument(args []string) (string, []string) {
	if len(args) == 0 {
		return "--help", nil
	}
	return args[0], args[1:]
}

// run performs one applet.
func run(name string, p *process) int {
	switch name {
	case "--list":
		fmt.Fprintln(p.out, strings.Join(names(), "\n"))
		return exitOK
	case "--help":
		return p.fail(exitUsage, "usage: toybox APPLET [ARGUMENT ...], where APPLET is one of %s", strings.Join(names(), ", "))
	}
	a, ok := applets()[name]
	if !ok {
		return p.fail(exitNotFound, "%s: not found (one of %s)", name, strings.Join(names(), ", "))
	}
	return a(p)
}

func names() []string {
	var all []string
	for name := range applets() {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
