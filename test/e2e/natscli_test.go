package e2e_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/testenv"
)

// natsCLI is the stock nats command line.
type natsCLI struct {
	t         *testing.T
	path, url string
}

func newNatsCLI(t *testing.T, url string) *natsCLI {
	t.Helper()
	return &natsCLI{t: t, path: testenv.NatsCLI(t), url: url}
}

// run is what a command prints; it must succeed.
func (n *natsCLI) run(args ...string) (stdout, stderr string) {
	n.t.Helper()
	stdout, stderr, err := n.try(args...)
	if err != nil {
		n.t.Fatalf("nats %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout, stderr
}

// try is run for a command that may fail.
func (n *natsCLI) try(args ...string) (stdout, stderr string, err error) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, n.path, append([]string{"--no-context", "--server", n.url}, args...)...)
	home := n.t.TempDir() // nobody's contexts and settings
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// publish puts a message into a stream; the PubAck must come.
func (n *natsCLI) publish(subject, body string) {
	n.t.Helper()
	_, said := n.run("pub", "--jetstream", "--no-templates", subject, body)
	if !strings.Contains(said, "Stored in Stream: SHUNT_") {
		n.t.Fatalf("no PubAck for %s: %s", subject, said)
	}
}

// reply is the answer to a request.
type reply struct {
	document
	code, message string // of the error headers
}

var (
	errorCode = regexp.MustCompile(`(?m)Nats-Service-Error-Code: (.*)$`)
	errorText = regexp.MustCompile(`(?m)Nats-Service-Error: (.*)$`)
)

// request is the answer to a request, which has to come.
func (n *natsCLI) request(subject, body string, flags ...string) reply {
	n.t.Helper()
	args := append([]string{"req", "--no-templates"}, flags...)
	out, headers := n.run(append(args, subject, body)...)
	r := reply{code: submatch(errorCode, headers), message: submatch(errorText, headers)}
	if out = strings.TrimSpace(out); out != "nil body" {
		r.document = parse(n.t, out)
	}
	return r
}

func submatch(re *regexp.Regexp, text string) string {
	if found := re.FindStringSubmatch(text); found != nil {
		return strings.TrimSpace(found[1])
	}
	return ""
}

// first waits for the first message that a stream has, or will have, on a
// subject.
func (n *natsCLI) first(stream, subject string) document {
	n.t.Helper()
	out, _ := n.run("sub", "--stream", stream, "--all", "--count", "1", "--raw", subject)
	return parse(n.t, out)
}

// done waits for the last word on a job.
func (n *natsCLI) done(job string) document {
	n.t.Helper()
	return n.first("SHUNT_DONE", "shunt.done."+job)
}

// job is a job's record as it is now; empty while there is none.
func (n *natsCLI) job(id string) document {
	n.t.Helper()
	return n.request("shunt.placer.job", `{"v":1,"id":"`+id+`"}`).document
}

// logs is the output of a job's container.
func (n *natsCLI) logs(node, job string) string {
	n.t.Helper()
	out, _ := n.run("req", "--raw", "--no-templates", "--wait-for-empty", "--reply-timeout", "15s",
		"shunt.node."+node+".logs", `{"v":1,"job":"`+job+`"}`)
	return out
}
