package e2e_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/internal/testenv"
)

var record = flag.Bool("record", false, "record docs/first-half-hour.md and the README's demo anew")

// TestFirstHalfHour runs every command of docs/first-half-hour.md on a fleet that
// `shunt dev` has started, and holds what they say to what the page says.
func TestFirstHalfHour(t *testing.T) {
	t.Parallel()
	page := repository(t, "docs/first-half-hour.md")
	before, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	s := newHalfHour(t)
	after := s.replay(string(before))
	if *record {
		if err := os.WriteFile(page, []byte(after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(plain(string(before)), plain(after)); diff != "" && !*record {
		t.Errorf("it went otherwise (make session records it anew):\n%s", diff)
	}
}

// halfHour is a person's shell on a fleet of shunt dev.
type halfHour struct {
	t   *testing.T
	dir string
	env []string

	nats, registry string // what the page must not show: HOST:PORT
}

func newHalfHour(t *testing.T) *halfHour {
	t.Helper()
	testenv.Tools(t)
	bin, nats := testenv.Bin(t), testenv.NatsCLI(t)
	dir := t.TempDir()
	dev := start(t, "shunt dev", "shunt", "dev", "--state-dir", filepath.Join(dir, "state"), "--listen", "127.0.0.1:0", "--log-level", "error")
	var image string
	eventually(t, "the fleet is ready", func() (bool, string) {
		found := regexp.MustCompile(`shunt submit (\S+) `).FindStringSubmatch(dev.output.String())
		if found != nil {
			image = found[1]
		}
		return found != nil, dev.output.String()
	})
	registry, _, _ := strings.Cut(image, "/")
	s := &halfHour{t: t, dir: filepath.Join(dir, "home"), nats: strings.TrimPrefix(dev.ready["nats"], "nats://"), registry: registry}
	s.env = append(os.Environ(), "PATH="+bin+":"+filepath.Dir(nats)+":"+os.Getenv("PATH"), "HOME="+s.dir, "XDG_CONFIG_HOME="+s.dir,
		"SHUNT_NATS=nats://"+s.nats, "NATS_URL=nats://"+s.nats, "IMAGE="+image)
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	shop := strings.ReplaceAll(halfHourShop, "IMAGE", image)
	if err := os.WriteFile(filepath.Join(s.dir, "shop.yaml"), []byte(shop), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

const halfHourShop = `version: v1
deployment: shop
services:
  web:
    image: {name: IMAGE}
    command: {args: [sh, -c, "echo the shop is open; sleep 3600"]}
    scale: {mode: fixed, replicas: 2}
`

// replay is the page with what its commands say now.
func (s *halfHour) replay(page string) string {
	var out strings.Builder
	lines := strings.SplitAfter(page, "\n")
	for i, inside := 0, false; i < len(lines); i++ {
		switch line := lines[i]; {
		case strings.HasPrefix(line, "```console"):
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside && strings.HasPrefix(line, "$ "):
			said := ""
			for i+1 < len(lines) && !strings.HasPrefix(lines[i+1], "$ ") && !strings.HasPrefix(lines[i+1], "```") {
				i++
				said += lines[i]
			}
			out.WriteString(line + s.look(strings.TrimSpace(line[2:]), said))
			continue
		}
		out.WriteString(lines[i])
	}
	return out.String()
}

// looks is the commands that change nothing.
var looks = regexp.MustCompile(`^(shunt (nodes|jobs|get|explain|logs)|nats req) `)

// look runs a command line. One that only looks is run again, as a person would,
// while it does not say yet what it said when the page was recorded.
func (s *halfHour) look(line, said string) string {
	s.t.Helper()
	out := s.run(line)
	for until := time.Now().Add(10 * time.Second); !*record && looks.MatchString(line) && plain(out) != plain(said) && time.Now().Before(until); {
		out = s.run(line)
	}
	return out
}

// run runs a command line and gives what a terminal would show of it.
func (s *halfHour) run(line string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("$ %s: %v\n%s", line, err, out)
	}
	text := strings.NewReplacer(s.nats, "127.0.0.1:4222", s.registry, "127.0.0.1:5000").Replace(string(out))
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return trimmed(text)
}

// trimmed takes the spaces away that end lines.
func trimmed(text string) string {
	var b bytes.Buffer
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

// changing is what is another's at every run, and what stands for it.
var changing = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`\bjob-[a-z0-9]{10}\b`), "JOB"},
	{regexp.MustCompile(`-[0-9a-f]{8}\b`), "-FINGERPRINT"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ms|µs|s)\b`), "DURATION"},
	{regexp.MustCompile(`score"?:? ?\d+(\.\d+)?(: [a-z_0-9., ]+)?`), "SCORE"},
	{regexp.MustCompile(` {2,}`), "  "},
	{regexp.MustCompile(`(?m)^linux-1: pulling .*\n`), ""}, // as often as it takes seconds
	{regexp.MustCompile(`(?m)^on (win|linux)-1\n`), ""},    // who is asked first is drawn, and a refusal may be over too soon to be seen
}

// plain is the page without what changes from run to run.
func plain(page string) string {
	for _, c := range changing {
		page = c.what.ReplaceAllString(page, c.with)
	}
	return page
}
