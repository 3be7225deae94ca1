package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A mutation that cannot be made any more shows nothing: the list follows the
// source.
func TestEveryMutationCanBeMade(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	names := map[string]bool{}
	for _, m := range mutations {
		if names[m.Name] {
			t.Errorf("there are two mutations %q", m.Name)
		}
		names[m.Name] = true
		if len(m.Edits) == 0 || len(m.Tests) == 0 {
			t.Errorf("%s: no edits, or no tests", m.Name)
		}
		if _, err := regexp.Compile(m.Run); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		for _, e := range m.Edits {
			source, err := os.ReadFile(e.File)
			if err != nil {
				t.Error(err)
				continue
			}
			if _, err := e.apply(string(source)); err != nil {
				t.Errorf("%s: %v", m.Name, err)
			}
		}
	}
}

func TestFailuresTellsATestThatFailedFromOneThatCouldNotBeBuilt(t *testing.T) {
	for name, c := range map[string]struct {
		out  string
		want int
	}{
		"a failed test":     {`{"Action":"run","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"fail","Package":"p","Test":"TestA/sub"}` + "\n" + `{"Action":"fail","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"fail","Package":"p"}`, 1},
		"a panic":           {`{"Action":"run","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"fail","Package":"p"}`, 1},
		"does not compile":  {`{"Action":"build-fail","ImportPath":"p"}` + "\n" + `{"Action":"fail","Package":"p","FailedBuild":"p"}`, 0},
		"all is well":       {`{"Action":"run","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"pass","Package":"p","Test":"TestA"}`, 0},
		"something else":    {"# a comment\n", 0},
		"nothing was to do": {"", 0},
	} {
		if got, _ := failures([]byte(c.out)); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
