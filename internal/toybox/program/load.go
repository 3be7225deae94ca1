package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
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

// flood N [WIDTH] prints the lines 1 to N, filled up with dots to WIDTH bytes if
// that is given.
func flood(p *process) int {
	numbers, err := numbers(p, 1, 2)
	if err != nil {
		return p.fail(exitUsage, "flood: %v", err)
	}
	count, fill := numbers[0], ""
	if len(numbers) == 2 {
		fill = strings.Repeat(".", numbers[1])
	}
	out := bufio.NewWriterSize(p.out, 64<<10)
	for i := 1; i <= count; i++ {
		line := fmt.Sprintf("line %d", i)
		if room := len(fill) - len(line) - 1; room > 0 {
			line += fill[:room]
		}
		fmt.Fprintln(out, line)
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
	n, err := numbers(p, 1, 1)
	if err != nil {
		return 0, err
	}
	return n[0], nil
}

// numbers are the arguments, of which there have to be a certain count.
func numbers(p *process, least, most int) ([]int, error) {
	if len(p.args) < least || len(p.args) > most {
		return nil, fmt.Errorf("want %d to %d numbers, got %d arguments", least, most, len(p.args))
	}
	var out []int
	for _, arg := range p.args {
		n, err := strconv.Atoi(arg)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not a number from 0 up", arg)
		}
		out = append(out, n)
	}
	return out, nil
}
