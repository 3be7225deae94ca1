package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write docs/cli.md anew")

// TestTheCommandLinesPage holds docs/cli.md to the command line itself; -update
// writes it.
func TestTheCommandLinesPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "cli.md")
	got := commandLinesPage()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/cli.md is not what the command line says (go test ./cmd/shunt -run TheCommandLinesPage -update):\n%s", diff)
	}
}

const pageIntroduction = `# The command line

This page is written by a test from the command line itself (` + "`go test ./cmd/shunt -run TheCommandLinesPage -update`" + `);
` + "`shunt VERB --help`" + ` says the same.

The exit codes of every verb are 0 done, 1 the job failed (an op on a container is a job, too; of ` + "`exec`" + `, the program), 2 bad use,
3 not reachable, 4 timed out. Verbs that go on (` + "`-w`, `-f`, `events`" + `) end with Ctrl-C and 0.

A container is named by its own name, ` + "`<service>-rep-<replica>`" + `, by its job's id, or by its service if that has one replica.
Tables fit the terminal: the widest columns are cut, the reasons of ` + "`get` and `explain`" + ` go on below; where the output is no terminal
lines are as long as they are. ` + "`--output json`" + ` prints lists as one array, an entry a line, and what goes on as a document a line. So is output: of ` + "`logs` and `exec`" + ` each piece is
` + "`{container, stream, at, data}`" + ` (without ` + "`at` for `exec`" + `; where ` + "`data`" + ` is no UTF-8 it is in base64, and ` + "`encoding`" + ` says so), and ` + "`exec`" + ` ends with
` + "`{node, container, exit_code}`" + `. ` + "`dev`, `demo` and `completion`" + ` print text alone.

Every flag can be given in the environment (` + "`SHUNT_NATS`" + ` for ` + "`--nats`" + `) or in a YAML file (` + "`--config`" + `). ` + "`--context NAME`" + ` takes server and
credentials from a context of the ` + "`nats`" + ` command line; of the two, the one on the command line wins. Completion, of names too: ` + "`source <(shunt completion bash)`" + `.

## Deployments

` + "`shunt apply -f FILE`" + ` makes a deployment what its file says:

` + "```yaml" + `
version: v1
deployment: shop
services:
  web:
    rtype: service                 # or job: done when it exits
    image: {name: registry.example/shop/web:1.4, pull_policy: if_not_present}
    platform: linux/amd64          # or {os, arch, os_version}; left out: what the image is made for
    command: {args: ["--port", "8080"]}
    env: {A: "1"}
    resources: {cpu: 0.5, memory: 512Mi}
    endpoints:                     # public: the node's port of the same number; internal: one that is free
      - {name: http, protocol: http, port: 8080, expose: public}
    health: {check: {type: http, url: "http://localhost:8080/healthz"}, interval: 5s}
    storage: [{type: named, name: web-data, target: /data}]
    scale: {mode: fixed, replicas: 2}
    node_selector: {labels: {disk: ssd}}
` + "```" + `

Each replica is a job with the id ` + "`<deployment>-<service>-<replica>-<first 8 of its fingerprint>`" + ` in the service
` + "`<deployment>-<service>`" + `, with the label ` + "`shunt.deployment`" + `. To apply the same file again changes nothing. A changed service gets new
jobs, which take over the names of the ones before when they are healthy, and those end then (` + "`args.replace`" + `); what the file
does not name any more is cancelled; what has ended and is named again is retried. Every mistake is said with its file, line and field. Of the format's fields, shunt has nothing for schedules,
dependencies, init steps, secrets, tunnels, proxies with paths and adaptive scaling, and says so.

## Every verb

These flags go with every verb:

`

func commandLinesPage() string {
	root := (&app{}).command()
	var b bytes.Buffer
	b.WriteString(pageIntroduction)
	flagsOf(&b, root.PersistentFlags())
	for _, group := range root.Groups() {
		fmt.Fprintf(&b, "\n### %s\n", strings.TrimSuffix(group.Title, ":"))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == group.ID {
				verbOf(&b, cmd)
			}
		}
	}
	b.WriteString("\n### The shell\n")
	for _, cmd := range root.Commands() {
		if cmd.GroupID == "" {
			verbOf(&b, cmd)
		}
	}
	return b.String()
}

func verbOf(b *bytes.Buffer, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n#### shunt %s\n\n", cmd.Use)
	text := cmd.Long
	if text == "" {
		text = strings.ToUpper(cmd.Short[:1]) + cmd.Short[1:] + "."
	}
	b.WriteString(text + "\n")
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n"))
	}
	if cmd.LocalNonPersistentFlags().HasFlags() {
		b.WriteString("\n")
		flagsOf(b, cmd.LocalNonPersistentFlags())
	}
}

func flagsOf(b *bytes.Buffer, flags *pflag.FlagSet) {
	b.WriteString("| flag | |\n|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0s" && f.DefValue != "0" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", name, strings.ReplaceAll(usage, "|", "\\|"))
	})
}
