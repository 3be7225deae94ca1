package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mutation is a safeguard taken out.
type mutation struct {
	Name  string // what shunt is without
	Edits []edit
	Tests []string // packages whose tests should notice
	Run   string   // which of their tests; "": all
}

// edit replaces a text that occurs once in a file; paths are from the module's
// root.
type edit struct{ File, Old, New string }

// apply is the file with the edit made.
func (e edit) apply(source string) (string, error) {
	if n := strings.Count(source, e.Old); n != 1 {
		return "", fmt.Errorf("%s: the text to be replaced occurs %d times, want once: %q", e.File, n, e.Old)
	}
	return strings.Replace(source, e.Old, e.New, 1), nil
}

// try runs the tests over the mutated source and names those that fail.
func (m mutation) try(ctx context.Context, verbose bool) (killers []string, err error) {
	dir, err := os.MkdirTemp("", "shunt-mutant-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(dir)
	if err != nil {
		return nil, err
	}
	args := []string{"test", "-json", "-overlay", overlay, "-timeout", "5m", "-failfast"}
	if m.Run != "" {
		args = append(args, "-run", m.Run)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", append(args, m.Tests...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if verbose {
		os.Stderr.Write(stderr.Bytes())
	}
	killers, printed := failures(stdout.Bytes())
	if verbose {
		fmt.Fprint(os.Stderr, printed)
	}
	if err != nil && len(killers) == 0 {
		return nil, fmt.Errorf("the tests could not be run:\n%s%s", stderr.String(), printed)
	}
	return killers, nil
}

// overlay writes the mutated files and the list that lays them over the others.
func (m mutation) overlay(dir string) (string, error) {
	mutated := map[string]string{}
	for _, e := range m.Edits {
		path, err := filepath.Abs(e.File)
		if err != nil {
			return "", err
		}
		source, done := mutated[path]
		if !done {
			data, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			source = string(data)
		}
		if mutated[path], err = e.apply(source); err != nil {
			return "", err
		}
	}
	replace := map[string]string{}
	for path, source := range mutated {
		copied := filepath.Join(dir, fmt.Sprintf("%d_%s", len(replace), filepath.Base(path)))
		if err := os.WriteFile(copied, []byte(source), 0o600); err != nil {
			return "", err
		}
		replace[path] = copied
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, data, 0o600)
}

// failures reads what `go test -json` printed: the top-level tests that failed,
// or the package whose tests never came to an end, and the text. A package that
// does not compile has none.
func failures(out []byte) (tests []string, printed string) {
	var text strings.Builder
	started, failed := map[string]bool{}, []string{}
	for line := range bytes.Lines(out) {
		var ev struct{ Action, Package, Test, Output, FailedBuild string }
		if json.Unmarshal(line, &ev) != nil {
			continue
		}
		text.WriteString(ev.Output)
		switch {
		case ev.Action == "run":
			started[ev.Package] = true
		case ev.Action == "fail" && ev.Test != "" && !strings.Contains(ev.Test, "/"):
			tests = append(tests, ev.Test)
		case ev.Action == "fail" && ev.Test == "" && started[ev.Package] && ev.FailedBuild == "":
			failed = append(failed, ev.Package)
		}
	}
	if len(tests) == 0 {
		tests = failed // it hung or panicked
	}
	slices.Sort(tests)
	return slices.Compact(tests), text.String()
}
