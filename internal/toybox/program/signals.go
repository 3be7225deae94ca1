package main

import (
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// signalNames are the signals a test sends; the numbers are those of Linux.
var signalNames = map[string]syscall.Signal{
	"HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "TERM": 15,
}

// endOnSignal ends the process with 128 plus the signal's number where the
// kernel would not: it drops signals without a handler for the first process
// of a pid namespace, and the Go runtime then ends with 2, which says nothing.
// Anywhere else the default is right, and the parent sees the signal itself.
func endOnSignal(name string) {
	if os.Getpid() != 1 || name == "ignore-term" || name == "handle-term" {
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	go func() {
		s := <-signals
		if number, ok := s.(syscall.Signal); ok {
			os.Exit(exitSignal + int(number))
		}
		os.Exit(exitFailure)
	}()
}

// ignoreTerm only ends by SIGKILL, for tests of the grace period. It says
// "ready" when SIGTERM can no longer hurt it.
func ignoreTerm(p *process) int {
	signal.Ignore(syscall.SIGTERM)
	return p.sayReadyAndWait()
}

// handleTerm [APPLET ARGUMENT ...] leaves in peace: on SIGTERM it says "term"
// and ends with 0, or does what the applet does, for tests that say when and
// how a container ends.
func handleTerm(p *process) int {
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	if code := p.print("ready\n"); code != exitOK {
		return code
	}
	<-terms
	if code := p.print("term\n"); code != exitOK || len(p.args) == 0 {
		return code
	}
	next := *p
	next.args = p.args[1:]
	return run(p.args[0], &next)
}

func (p *process) sayReadyAndWait() int {
	if code := p.print("ready\n"); code != exitOK {
		return code
	}
	for {
		time.Sleep(time.Hour)
	}
}

// killSelf SIG ends by a signal of its own. As the first process of a pid
// namespace it cannot: the kernel drops it. It then ends with 128 plus the
// number, as endOnSignal does.
func killSelf(p *process) int {
	if len(p.args) != 1 {
		return p.fail(exitUsage, "kill-self: want one signal")
	}
	number, ok := parseSignal(p.args[0])
	if !ok {
		return p.fail(exitUsage, "kill-self: %q is not a number from 1 to 64 or one of %s", p.args[0], strings.Join(sortedSignals(), ", "))
	}
	if os.Getpid() == 1 {
		return exitSignal + int(number)
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(number)
	}
	if err != nil {
		return p.fail(exitFailure, "kill-self: %v", err)
	}
	time.Sleep(time.Second) // a signal that is not deadly comes back here
	return p.fail(exitFailure, "kill-self: signal %d did not end the process", number)
}

// parseSignal reads "9", "KILL" and "SIGKILL".
func parseSignal(text string) (syscall.Signal, bool) {
	if n, err := strconv.Atoi(text); err == nil {
		return syscall.Signal(n), n >= 1 && n <= 64
	}
	s, ok := signalNames[strings.TrimPrefix(strings.ToUpper(text), "SIG")]
	return s, ok
}

func sortedSignals() []string {
	var all []string
	for name := range signalNames {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
