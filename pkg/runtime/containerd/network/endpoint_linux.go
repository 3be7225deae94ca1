package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (e Endpoint) isDefault() bool { return Request{Network: e.Network}.isDefault() }

// Endpoint is what a container has of its network now; the zero one of a
// container that never had any, or not since the machine's last start.
func (n *Networks) Endpoint(id string) (Endpoint, error) {
	data, err := os.ReadFile(n.cfg.endpointFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return Endpoint{}, nil
	}
	var e Endpoint
	if err == nil {
		err = json.Unmarshal(data, &e)
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("network of %s: %w", id, err)
	}
	return e, nil
}

// write replaces the endpoint's file in one step.
func (n *Networks) write(id string, e Endpoint) error {
	data, err := json.Marshal(e)
	if err == nil {
		file := n.cfg.endpointFile(id)
		if err = os.WriteFile(file+".new", data, 0o600); err == nil {
			err = os.Rename(file+".new", file)
		}
	}
	if err != nil {
		return fmt.Errorf("network of %s: %w", id, err)
	}
	return nil
}

// Namespace is the path of a container's network namespace, once Prepare has
// made it.
func (n *Networks) Namespace(id string) string { return n.cfg.namespace(id) }

// File is the path of one of the files that a container finds in its /etc.
func (n *Networks) File(id, name string) string { return n.cfg.file(id, name) }

// writeFiles writes what a container finds in its /etc. Files that are there are
// written over, not replaced: they may be mounted already.
func (n *Networks) writeFiles(id string, req Request) error {
	shared := req.Network == messages.NetworkHost
	machine := ""
	if shared {
		machine = readOrNothing("/etc/hosts")
	}
	for name, text := range map[string]string{
		Hosts:    hostsFile(machine, req.Hostname, req.JoinAddress, req.Hosts),
		Resolv:   resolvFile(machineResolv(shared), req.DNS, shared),
		Hostname: req.Hostname + "\n",
	} {
		if err := os.WriteFile(n.cfg.file(id, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("network: %w", err)
		}
	}
	return nil
}

// machineResolv is the machine's resolv.conf: where it names nothing but
// systemd's resolver on the loopback, the one with what is behind that.
func machineResolv(shared bool) string {
	text := readOrNothing("/etc/resolv.conf")
	if behind := readOrNothing("/run/systemd/resolve/resolv.conf"); !shared && behind != "" && !hasNameserver(text) {
		return behind
	}
	return text
}

// readOrNothing reads a file of the machine's that need not be there.
func readOrNothing(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(data)
}
