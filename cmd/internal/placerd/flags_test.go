package placerd

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// validated is what is wrong with a command line.
func validated(t *testing.T, args ...string) error {
	t.Helper()
	var c Config
	fs := pflag.NewFlagSet("placer", pflag.ContinueOnError)
	c.Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c.validate()
}

func TestABadFlagIsNamed(t *testing.T) {
	const nats = "--nats=nats://127.0.0.1:4222"
	dir := t.TempDir()
	for _, test := range []struct{ args, flag, value, want string }{
		{"--nats=http://127.0.0.1:1", "--nats", `"http://127.0.0.1:1"`, "nats://"},
		{"--nats=nats://one:1,,nats://two:2", "--nats", `""`, "nats://"},
		{"--nats=nats://ann:secret@:4222", "--nats", `":4222"`, "nats://"},
		{nats + " --creds=" + dir + "/none", "--creds", dir + "/none", "can be read"},
		{nats + " --tls-ca=" + dir, "--tls-ca", dir, "want a file"},
		{nats + " --xkey=" + dir + "/none", "--xkey", dir + "/none", ""},
		{"--embed-nats=localhost", "--embed-nats", `"localhost"`, "HOST:PORT"},
		{"--embed-nats=:0 --sync=often", "--sync", `"often"`, `"always"`},
		{nats + " --http=8080", "--http", `"8080"`, "HOST:PORT"},
		{nats + " --http=:http", "--http", `":http"`, "HOST:PORT"},
		{nats + " --subject-root=a.b", "--subject-root", `"a.b"`, "A-Z"},
		{nats + " --request-timeout=-1s", "--request-timeout", "-1s", "above 0, such as 5s"},
		{nats + " --request-timeout=0s", "--request-timeout", "0s", "above 0"},
		{nats + " --quiet-after=-1m", "--quiet-after", "-1m", "above 0, such as 1m"},
		{nats + " --moves-at-once=0", "--moves-at-once", "0", "at least 1"},
		{nats + " --moves-at-once=-2", "--moves-at-once", "-2", "at least 1"},
	} {
		err := validated(t, strings.Fields(test.args)...)
		if err == nil || !strings.Contains(err.Error(), test.flag+":") || !strings.Contains(err.Error(), test.value) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error that names %s, %s and %q", test.args, err, test.flag, test.value, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v shows the password", test.args, err)
		}
	}
	for _, args := range []string{nats, "--nats=localhost", "--nats=tls://one:4222,two:4222", "--embed-nats=:0", nats + " --http=[::1]:0"} {
		if err := validated(t, strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v, want no error", args, err)
		}
	}
}
