package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

func succeed(*process) int { return exitOK }

func failure(*process) int { return exitFailure }

// exit N ends with code N; without N it is 0.
func exit(p *process) int {
	if len(p.args) == 0 {
		return exitOK
	}
	code, err := strconv.Atoi(p.args[0])
	if err != nil || code < 0 || code > 255 || len(p.args) > 1 {
		return p.fail(exitUsage, "exit: %q is not one number from 0 to 255", strings.Join(p.args, " "))
	}
	return code
}

// echo prints its arguments and a newline; -n leaves the newline out.
func echo(p *process) int {
	words, end := p.args, "\n"
	if len(words) > 0 && words[0] == "-n" {
		words, end = words[1:], ""
	}
	return p.print(strings.Join(words, " ") + end)
}

// printErr is echo to standard error.
func printErr(p *process) int {
	fmt.Fprintln(p.err, strings.Join(p.args, " "))
	return exitOK
}

// sleep N waits for N seconds; fractions are allowed.
func sleep(p *process) int {
	if len(p.args) != 1 {
		return p.fail(exitUsage, "sleep: want one number of seconds, got %d arguments", len(p.args))
	}
	seconds, err := strconv.ParseFloat(p.args[0], 64)
	const most = 100 * 365 * 24 * 3600 // keeps the product below what a Duration can hold
	if err != nil || !(seconds >= 0 && seconds <= most) {
		return p.fail(exitUsage, "sleep: %q is not a number of seconds", p.args[0])
	}
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	return exitOK
}

// print writes to standard output; a reader that went away is a failure.
func (p *process) print(text string) int {
	if _, err := fmt.Fprint(p.out, text); err != nil {
		return p.fail(exitFailure, "write: %v", err)
	}
	return exitOK
}
