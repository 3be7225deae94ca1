package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
)

// TestExamples runs what lies in examples/ on a fleet, as its pages say.
func TestExamples(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	f.windows()
	f.awaitNode(linuxNode, "alive")
	f.awaitNode(windowsNode, "alive")
	image := f.linuxImage("sh", "-c", "echo hello from the container")

	t.Run("scheduler", func(t *testing.T) {
		both := f.index("team/both:1", f.image(toybox.Linux(runtime.GOARCH), "true"), f.image(toybox.Windows(""), "true"))
		out := example(t, "", "go", "run", "./examples/scheduler", f.nats.url, both, "sh", "-c", "exit 0")
		wantLines(t, out, `build for linux/\w+: completed on linux-1 at start 1`, `build for windows/amd64: completed on win-1 at start 1`)
	})
	t.Run("ops", func(t *testing.T) {
		f.runService("busy", image, `"handle-term"`) // so that the drain has to wait, and is over with something left
		path := filepath.Dir(f.nats.path)
		script := repository(t, "examples/ops/night-shift.sh")
		out := example(t, "", "env", "PATH="+path+":"+os.Getenv("PATH"), "NATS_URL="+f.nats.url, "HOME="+t.TempDir(), script, image, linuxNode)
		wantLines(t, out, `\d shunt-worker`, `"node":"linux-1"`, `completed on linux-1`, `hello from the container`,
			`"chosen":"(linux|win)-1"`, `"draining":true,"left":1}`, `"draining":false,.*`, `Nats-Service-Error: not_found: .*`, `as it should be`)
	})
	t.Run("javascript", func(t *testing.T) {
		const remedy = "apt-get install nodejs npm"
		node, npm := testenv.Program(t, "node", remedy), testenv.Program(t, "npm", remedy)
		dir := filepath.Join(t.TempDir(), "javascript")
		if err := os.CopyFS(dir, os.DirFS(repository(t, "examples/javascript"))); err != nil {
			t.Fatal(err)
		}
		example(t, dir, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		f.liesAboutEnds()
		out := example(t, dir, node, "client.js", f.nats.url, image)
		wantLines(t, out, `node linux-1 is alive and runs linux/\w+`, `node win-1 is alive and runs windows/amd64`,
			`job completed on linux-1, exit code 0`, `stdout: hello from the container`, `linux-1: score .*`, `win-1: .*`,
			`directly: completed`, `a bad job: invalid_argument: .*`)
	})
}

// liesAboutEnds says a last word on every job that is submitted from now on, which
// the stream refuses: whoever listens has to look there.
func (f *fleet) liesAboutEnds() {
	f.t.Helper()
	nc, err := nats.Connect(f.nats.url)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(nc.Close)
	if _, err := nc.Subscribe("shunt.job.*", func(m *nats.Msg) {
		word := nats.NewMsg("shunt.done." + strings.TrimPrefix(m.Subject, "shunt.job."))
		word.Header.Set("Nats-Expected-Last-Subject-Sequence", "1000000")
		word.Data = []byte(`{"v":1,"state":"failed","node":"nowhere","outcome":{"result":{"exit_code":1}}}`)
		_ = nc.PublishMsg(word)
	}); err != nil {
		f.t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		f.t.Fatal(err)
	}
}

// example runs a command, from the repository's top if no other place is named,
// and gives what it prints.
func example(t *testing.T, dir string, command ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	if cmd.Dir = dir; dir == "" {
		cmd.Dir = repository(t, ".")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

// repository is the path of something in the repository.
func repository(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// wantLines wants lines that match, anywhere in the text.
func wantLines(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(`(?m)^.*` + p + `$`).MatchString(text) {
			t.Errorf("no line is %s in:\n%s", p, text)
		}
	}
}
