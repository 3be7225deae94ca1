package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/shunt-fleet/shunt/cmd/internal/settings"
)

type flags struct {
	*pflag.FlagSet
	node   string
	labels map[string]string
	lists  []string
}

func newFlags(t *testing.T, args ...string) *flags {
	t.Helper()
	f := &flags{FlagSet: pflag.NewFlagSet("test", pflag.ContinueOnError)}
	f.StringVar(&f.node, "node", "default", "")
	f.StringToStringVar(&f.labels, "label", nil, "")
	f.StringSliceVar(&f.lists, "state-dirs", nil, "")
	f.Bool("version", false, "")
	settings.AddConfigFlag(f.FlagSet)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlagsWinOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	config := file(t, "node: of-the-file\nlabel: {disk: ssd, zone: a}\nstate-dirs: [x, y]\n")
	f := newFlags(t, "--config", config)
	if err := settings.Apply(f.FlagSet); err != nil {
		t.Fatal(err)
	}
	if f.node != "of-the-file" || f.labels["zone"] != "a" || strings.Join(f.lists, " ") != "x y" {
		t.Errorf("the file gives %q %v %v", f.node, f.labels, f.lists)
	}

	t.Setenv("SHUNT_NODE", "of-the-environment")
	t.Setenv("SHUNT_STATE_DIRS", "e")
	t.Setenv("SHUNT_VERSION", "1.2.3") // somebody else's: it asks for nothing
	f = newFlags(t, "--config", config, "--state-dirs", "f,g")
	if err := settings.Apply(f.FlagSet); err != nil {
		t.Fatal(err)
	}
	if f.node != "of-the-environment" || strings.Join(f.lists, " ") != "f g" {
		t.Errorf("the environment and a flag give %q %v", f.node, f.lists)
	}
}

func TestMistakesNameTheirPlace(t *testing.T) {
	for text, want := range map[string][]string{
		"node: a\nnodes: b\n":    {":2:", "nodes", "no such setting"},
		"version: true\n":        {":1:", "version", "no such setting"},
		"label: [a, b]\n":        {":1:", "label"},
		"node: {a: {b: c}}\n":    {":1:", "node", "plain values"},
		"- node\n":               {":1:", "settings such as"},
		"node: 'unfinished\n":    {"config.yaml"},
		"state-dirs: [[a], b]\n": {":1:", "state-dirs", "plain values"},
	} {
		err := settings.Apply(newFlags(t, "--config", file(t, text)).FlagSet)
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is answered with %q, without %q", text, err, part)
			}
		}
	}
	t.Setenv("SHUNT_LABEL", "disk")
	if err := settings.Apply(newFlags(t).FlagSet); err == nil || !strings.Contains(err.Error(), "SHUNT_LABEL") {
		t.Errorf("a bad variable is answered with %v", err)
	}
}
