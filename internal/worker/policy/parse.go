package policy

import (
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads a policy file; name is what errors call it. A field that is left
// out is as in Default. Errors say where, which field and value, and what would
// be right.
func Parse(name string, data []byte) (*Policy, error) {
	p := Default()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w; want YAML such as privileged: false", name, err)
	}
	if len(doc.Content) == 0 {
		return p, nil
	}
	err := eachField(doc.Content[0], "", map[string]func(*yaml.Node) error{
		"bind":         p.readBind,
		"devices":      p.readDevices,
		"privileged":   func(n *yaml.Node) error { return readBool(n, "privileged", &p.Privileged) },
		"cap_add":      p.readCapAdd,
		"host_network": func(n *yaml.Node) error { return readBool(n, "host_network", &p.HostNetwork) },
		"sysctls":      p.readSysctls,
	}, "bind, cap_add, devices, host_network, privileged or sysctls")
	if err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	return p, nil
}

// wrong says what is wrong with a node. The file's name goes before it.
func wrong(n *yaml.Node, field, want string) error {
	value := n.Value
	switch n.Kind {
	case yaml.MappingNode:
		value = "a mapping"
	case yaml.SequenceNode:
		value = "a list"
	}
	return fmt.Errorf("%d: %s: %q is not allowed; want %s", n.Line, field, value, want)
}

// eachField reads the fields of a mapping, each once.
func eachField(n *yaml.Node, under string, fields map[string]func(*yaml.Node) error, names string) error {
	if n.Kind != yaml.MappingNode {
		return wrong(n, strings.TrimSuffix(under, "."), "a mapping with "+names)
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := fields[key.Value]
		switch {
		case !ok:
			return fmt.Errorf("%d: %s: no such field; want %s", key.Line, under+key.Value, names)
		case seen[key.Value]:
			return fmt.Errorf("%d: %s: it is there twice; want it once", key.Line, under+key.Value)
		}
		seen[key.Value] = true
		if err := read(value); err != nil {
			return err
		}
	}
	return nil
}

func readBool(n *yaml.Node, field string, into *bool) error {
	if n.Decode(into) != nil {
		return wrong(n, field, "true or false")
	}
	return nil
}

// readList reads a list of words, each of which has to pass check.
func readList(n *yaml.Node, field, want string, check func(string) bool) ([]string, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, wrong(n, field, "a list, [] for none, of "+want)
	}
	words := []string{}
	for i, item := range n.Content {
		if item.Kind != yaml.ScalarNode || !check(item.Value) {
			return nil, wrong(item, fmt.Sprintf("%s[%d]", field, i), want)
		}
		words = append(words, item.Value)
	}
	return words, nil
}

func (p *Policy) readDevices(n *yaml.Node) (err error) {
	p.Devices, err = readList(n, "devices", "a device or a pattern of devices, such as /dev/fuse or /dev/dri/*", func(s string) bool {
		_, err := path.Match(s, "")
		return err == nil && strings.HasPrefix(s, "/")
	})
	return err
}

func (p *Policy) readSysctls(n *yaml.Node) (err error) {
	p.Sysctls, err = readList(n, "sysctls", "a kernel parameter or a pattern of them, such as net.core.somaxconn or net.*", func(s string) bool {
		_, err := path.Match(s, "")
		return err == nil && s != "" && !strings.Contains(s, "/")
	})
	return err
}

func (p *Policy) readCapAdd(n *yaml.Node) error {
	words, err := readList(n, "cap_add", "a capability such as NET_ADMIN, or ALL", func(s string) bool {
		return s != "" && strings.Trim(strings.ToUpper(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
	})
	for i := range words {
		words[i] = capability(words[i])
	}
	p.CapAdd = words
	return err
}

func (p *Policy) readBind(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return wrong(n, "bind", "a list, [] for none, of paths, each as {path: /srv, access: ro}")
	}
	p.Bind = []Path{}
	for i, item := range n.Content {
		field := fmt.Sprintf("bind[%d].", i)
		allowed := Path{Access: ReadOnly}
		err := eachField(item, field, map[string]func(*yaml.Node) error{
			"path": func(n *yaml.Node) error {
				allowed.Path = n.Value
				if !isAbsolute(n.Value) {
					return wrong(n, field+"path", `an absolute path without .., such as /srv or C:\data`)
				}
				return nil
			},
			"access": func(n *yaml.Node) error {
				allowed.Access = Access(n.Value)
				if allowed.Access != ReadOnly && allowed.Access != ReadWrite {
					return wrong(n, field+"access", "ro or rw")
				}
				return nil
			},
		}, "path, or path and access")
		if err == nil && allowed.Path == "" {
			err = wrong(item, field+"path", "an absolute path, such as /srv")
		}
		if err != nil {
			return err
		}
		p.Bind = append(p.Bind, allowed)
	}
	return nil
}

func isAbsolute(p string) bool {
	windows := len(p) > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/') || strings.HasPrefix(p, `\\`)
	climbs := strings.Contains("/"+strings.ReplaceAll(p, `\`, "/")+"/", "/../")
	return (windows || strings.HasPrefix(p, "/")) && !climbs
}
