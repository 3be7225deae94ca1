package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// outOfMemory takes memory and uses it until the kernel ends the process. It
// needs a limit around it: without one it takes the machine's.
func outOfMemory(p *process) int {
	const chunk, page = 1 << 20, 4096
	var taken [][]byte
	for {
		block := make([]byte, chunk)
		for i := 0; i < len(block); i += page {
			block[i] = 1 // memory counts only once it is touched
		}
		taken = append(taken, block)
		if len(taken)%64 == 0 {
			fmt.Fprintf(p.err, "taken %d MiB\n", len(taken))
		}
	}
}

// flood N prints the lines 1 to N.
func flood(p *process) int {
	count, err := oneNumber(p)
	if err != nil {
		return p.fail(exitUsage, "flood: %v", err)
	}
	out := bufio.NewWriter(p.out)
	for i := 1; i <= count; i++ {
		fmt.Fprintf(out, "line %d\n", i)
	}
	if err := out.Flush(); err != nil {
		return p.fail(exitFailure, "flood: %v", err)
	}
	return exitOK
}

// forks N starts N processes that live at the same time and says how many it
// got, for tests of a limit of pids. It ends them before it ends.
func forks(p *process) int {
	count, err := oneNumber(p)
	if err != nil {
		return p.fail(exitUsage, "forks: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		return p.fail(exitFailure, "forks: %v", err)
	}
	var children []*exec.Cmd
	defer func() {
		for _, c := range children {
			_ = c.Process.Kill() // it may have ended, which is as good
			_ = c.Wait()
		}
	}()
	for range count {
		c := exec.Command(self, "sleep", "3600")
		c.Args[0] = "toybox"
		if err := c.Start(); err != nil {
			return p.fail(exitFailure, "forks: %d of %d started: %v", len(children), count, err)
		}
		children = append(children, c)
	}
	return p.print(fmt.Sprintf("%d of %d started\n", len(children), count))
}

func oneNumber(p *process) (int, error) {
	if len(p.args) != 1 {
		return 0, fmt.Errorf("want one number, got %d arguments", len(p.args))
	}
	n, err := strconv.Atoi(p.args[0])
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number from 0 up", p.args[0])
	}
	return n, nil
}
