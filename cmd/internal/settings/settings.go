// Package settings lets a command's flags be given in three ways that say the
// same things: on the command line, in the environment (SHUNT_ and the flag's
// name in capitals, - as _), and in a YAML file (--config, flag names as keys).
// The command line wins over the environment, which wins over the file.
package settings

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// EnvPrefix begins the name of every variable that is read.
const EnvPrefix = "SHUNT_"

// ConfigFlag is the flag that names the file.
const ConfigFlag = "config"

// AddConfigFlag gives a command its --config.
func AddConfigFlag(fs *pflag.FlagSet) {
	fs.String(ConfigFlag, "", "YAML `FILE` with the same settings, flag names as keys; flags and environment win")
}

// EnvName is the variable that stands for a flag.
func EnvName(flag string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Apply sets the flags that were not given on the command line from the
// environment and the file. Its errors name the variable, or the file, line and
// key, and the value.
func Apply(fs *pflag.FlagSet) error {
	var errs []error
	fs.VisitAll(func(f *pflag.Flag) {
		value, ok := os.LookupEnv(EnvName(f.Name))
		if !ok || f.Changed || asks(f.Name) {
			return
		}
		if err := fs.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s=%q: %w", EnvName(f.Name), value, err))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	file := fs.Lookup(ConfigFlag)
	if file == nil || file.Value.String() == "" {
		return nil
	}
	return applyFile(fs, file.Value.String())
}

// asks tells whether a flag is no setting but a question.
func asks(flag string) bool { return flag == "help" || flag == "version" }

func applyFile(fs *pflag.FlagSet, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--%s: %w", ConfigFlag, err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return nil // an empty file
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: want settings such as \"node: linux-1\"", path, root.Line)
	}
	var errs []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		if err := applyKey(fs, root.Content[i], root.Content[i+1]); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", path, root.Content[i].Line, err))
		}
	}
	return errors.Join(errs...)
}

// applyKey sets one flag from the file.
func applyKey(fs *pflag.FlagSet, key, value *yaml.Node) error {
	f := fs.Lookup(key.Value)
	if f == nil || f.Name == ConfigFlag || asks(f.Name) {
		return fmt.Errorf("%s: there is no such setting; the names are those of the flags (see --help)", key.Value)
	}
	if f.Changed {
		return nil
	}
	text, err := flatten(value)
	if err == nil {
		err = fs.Set(f.Name, text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key.Value, err)
	}
	return nil
}

// flatten writes a value as the command line would: lists and maps with commas.
func flatten(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.SequenceNode:
		parts := make([]string, len(n.Content))
		for i, c := range n.Content {
			if c.Kind != yaml.ScalarNode {
				return "", errors.New("want a list of plain values")
			}
			parts[i] = c.Value
		}
		return strings.Join(parts, ","), nil
	case yaml.MappingNode:
		parts := make([]string, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i+1].Kind != yaml.ScalarNode {
				return "", errors.New("want plain values, as key: value")
			}
			parts = append(parts, n.Content[i].Value+"="+n.Content[i+1].Value)
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("want a plain value, a list or a map")
}
