package e2e_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/internal/testenv"
)

// TestDemo runs `shunt demo` with real containers and holds what it tells to the
// transcript in the README.
func TestDemo(t *testing.T) {
	t.Parallel()
	testenv.Tools(t)
	page := repository(t, "README.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, said, after := transcript(t, string(text))
	told := demo(t)
	if *record {
		if err := os.WriteFile(page, []byte(before+told+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(plainStory(said), plainStory(told)); diff != "" {
		t.Errorf("the demo tells another story than the README (make session records it anew):\n%s", diff)
	}
}

// demo is what the demo tells.
func demo(t *testing.T) string {
	t.Helper()
	cmd := command(t, "shunt", "demo")
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Told to end, it takes its containers and its containerds with it.
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(os.Interrupt) })
	defer late.Stop()
	err := cmd.Wait()
	if err != nil {
		t.Fatalf("shunt demo: %v; on standard error:\n%s\nIt told:\n%s", err, &errors, &out)
	}
	return trimmed(out.String())
}

// transcript is the README's, between what is before and after it.
func transcript(t *testing.T, page string) (before, said, after string) {
	t.Helper()
	const begin, end = "```text\nshunt demo", "```\n"
	i := strings.Index(page, begin)
	if i < 0 {
		t.Fatalf("README.md has no block that begins with %q", begin)
	}
	i += len("```text\n")
	n := strings.Index(page[i:], end)
	if n < 0 {
		t.Fatal("README.md: the demo's block does not end")
	}
	return page[:i], page[i : i+n], page[i+n:]
}

// registryPort is the kernel's choice.
var registryPort = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// plainStory is the demo's story without what changes from run to run.
func plainStory(story string) string {
	return plain(registryPort.ReplaceAllString(story, "REGISTRY"))
}
