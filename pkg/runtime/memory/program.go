package memory

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Exit codes that shells agree on.
const (
	exitFailure = 1
	exitUsage   = 2
	exitSignal  = 128 // plus the number of the signal
)

// A program runs as a process to its end and is its exit code; when the
// process was ended by a signal the code does not count.
type program func(p *process) int

// forever is every program that is not known.
func forever(p *process) int {
	p.sleep(-1)
	return 0
}

// programFor finds what argv runs; known is false when any part of it is a
// program that merely runs until it is stopped.
func programFor(argv []string) (prog program, known bool) {
	if len(argv) == 0 {
		return forever, false
	}
	args := argv[1:]
	switch baseName(argv[0]) {
	case "true":
		return exiting(0), true
	case "false":
		return exiting(exitFailure), true
	case "exit":
		return exit(args, 0), true
	case "echo":
		return echo(args), true
	case "sleep":
		return sleep(args)
	case "sh":
		if len(args) >= 2 && args[0] == "-c" {
			return script(args[1])
		}
	}
	return forever, false
}

// baseName is the last part of a path of any system, without .exe.
func baseName(path string) string {
	path = path[strings.LastIndexAny(path, `/\`)+1:]
	if ext := len(path) - len(".exe"); ext > 0 && strings.EqualFold(path[ext:], ".exe") {
		path = path[:ext]
	}
	return path
}

func exiting(code int) program { return func(*process) int { return code } }

func exit(args []string, fallback int) program {
	if len(args) == 0 {
		return exiting(fallback)
	}
	code, err := strconv.ParseUint(args[0], 10, 8)
	if err != nil || len(args) > 1 {
		return complaining("exit: %q is not one number from 0 to 255", strings.Join(args, " "))
	}
	return exiting(int(code))
}

func complaining(format string, args ...any) program {
	text := fmt.Sprintf(format, args...) + "\n"
	return func(p *process) int {
		p.print(runtime.Stderr, text)
		return exitUsage
	}
}

func echo(words []string) program {
	end := "\n"
	if len(words) > 0 && words[0] == "-n" {
		words, end = words[1:], ""
	}
	text := strings.Join(words, " ") + end
	return func(p *process) int {
		p.print(runtime.Stdout, text)
		return 0
	}
}

func sleep(args []string) (prog program, known bool) {
	if len(args) != 1 {
		return complaining("sleep: want one number of seconds, got %d arguments", len(args)), true
	}
	seconds, err := strconv.ParseFloat(args[0], 64)
	if math.IsInf(seconds, 1) && err == nil {
		return forever, false
	}
	const most = 100 * 365 * 24 * 3600 // keeps the product below what a Duration can hold
	if err != nil || !(seconds >= 0 && seconds <= most) {
		return complaining("sleep: %q is not a number of seconds", args[0]), true
	}
	return func(p *process) int {
		p.sleep(time.Duration(seconds * float64(time.Second)))
		return 0
	}, true
}
