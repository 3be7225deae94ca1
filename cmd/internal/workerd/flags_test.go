package workerd

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// validated is what is wrong with a command line.
func validated(t *testing.T, args ...string) error {
	t.Helper()
	var c Config
	fs := pflag.NewFlagSet("worker", pflag.ContinueOnError)
	c.Flags(fs)
	if err := fs.Parse(append([]string{"--node=a", "--state-dir=" + t.TempDir(), "--nats=nats://127.0.0.1:4222"}, args...)); err != nil {
		t.Fatal(err)
	}
	return c.validate()
}

func TestABadFlagIsNamed(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ args, flag, value, want string }{
		{"--nats=amqp://one", "--nats", `"amqp://one"`, "nats://"},
		{"--creds=" + dir + "/none", "--creds", dir + "/none", "can be read"},
		{"--tls-ca=" + dir, "--tls-ca", dir, "want a file"},
		{"--label==ssd", "--label", `""`, "a name"},
		{"--http=8080", "--http", `"8080"`, "HOST:PORT"},
		{"--subject-root=a.b", "--subject-root", `"a.b"`, "A-Z"},
		{"--peers=-5", "--peers", "-5", "at least 1"},
		{"--peers=0", "--peers", "0", "at least 1"},
		{"--heartbeat=-1s", "--heartbeat", "-1s", "above 0, such as 3s"},
		{"--ttl=1s", "--ttl", "1s", "twice the heartbeat"},
		{"--drain-timeout=-1s", "--drain-timeout", "-1s", "30s"},
		{"--containerd=", "--containerd", "", "managed"},
		{"--namespace=a/b", "--namespace", `"a/b"`, "such as shunt"},
		{"--tools=" + dir + "/none", "--tools", dir + "/none", "a directory"},
		{"--registry-hosts=" + dir + "/none", "--registry-hosts", dir + "/none", "a directory"},
		{"--subnet=10.0.0.1/24", "--subnet", `"10.0.0.1/24"`, "/8 to /29"},
		{"--delegate='wsl.exe", "--delegate", `"'wsl.exe"`, "as a shell reads it"},
		{"--delegate=''", "--delegate", `"''"`, "names no program"},
		{"--policy=" + dir + "/none", "--policy", dir + "/none", "docs/policy.md"},
	} {
		err := validated(t, strings.Fields(test.args)...)
		if err == nil || !strings.Contains(err.Error(), test.flag+":") || !strings.Contains(err.Error(), test.value) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error that names %s, %s and %q", test.args, err, test.flag, test.value, test.want)
		}
	}
	for _, args := range []string{"", "--peers=1", "--label=disk=ssd", "--tools=" + dir, "--containerd=managed", "--runtime=memory"} {
		if err := validated(t, strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v, want no error", args, err)
		}
	}
}

func TestTheDelegatesCommandIsSplitAsAShellDoes(t *testing.T) {
	c := Config{Delegate: `'C:\Program Files\WSL\wsl.exe' -d shunt --exec worker delegate --namespace "a b"`}
	want := []string{`C:\Program Files\WSL\wsl.exe`, "-d", "shunt", "--exec", "worker", "delegate", "--namespace", "a b"}
	if err := c.checkDelegate(); err != nil || !slices.Equal(c.delegateArgs, want) {
		t.Errorf("got %q, %v; want %q", c.delegateArgs, err, want)
	}
}
